import { targetContainerSuite } from '../testing/target-suite.ts';
import { probeMachine } from './shim/probe.ts';
import { shimFile } from './shim/shim-file.ts';
import { openHost } from './testing/host-harness.ts';

const { level, hasPids, reason } = await probeMachine(shimFile());
if (level === 'none' || !hasPids) {
	process.stdout.write(`# skipped: containers have no processes of their own here: ${reason}\n`);
} else targetContainerSuite('host processes', async () => openHost());
