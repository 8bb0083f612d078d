import { after } from 'node:test';
import { targetContainerSuite } from '../testing/target-suite.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const missing = await missingForSandbox();
if (missing) {
	process.stdout.write(`# skipped: ${missing}\n`);
} else {
	const world = await SandboxWorld.open();
	targetContainerSuite('containers with images', () => openSandbox(world));
	after(() => world.close());
}
