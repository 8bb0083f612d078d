import type { ContainerConfig } from '../../../src/api/contract/container-config.ts';
import type { SandboxConfig } from '../../../src/api/contract/sandbox-config.ts';
import { SeededRandom } from '../../../src/base/testing/seeded-random.ts';
import type { FakeProgram } from '../../../src/runtime/fake/fake-program.ts';

/**
 * What a simulated container does, by its arguments: `run=` and `jitter=` are milliseconds, `failing=` is the
 * probability of a non-zero exit code, `ignores-term` ignores SIGTERM. The draw depends on the Pod, the
 * container and the attempt alone, so that the order in which containers start does not matter.
 */
export function simulatedProgram(config: ContainerConfig, { podUid }: SandboxConfig): FakeProgram {
	const random = new SeededRandom(hashOf(`${podUid}/${config.name}/${config.attempt}`));
	const argument = (name: string): number =>
		Number(config.args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
	const fails = random.next() < argument('failing');
	return {
		runMs: Math.round(argument('run') + argument('jitter') * random.next()),
		exitCode: fails ? 1 + Math.floor(random.next() * 3) : 0,
		ignoresTerm: config.args.includes('ignores-term'),
	};
}

/** A 32-bit hash of a text, for seeds. */
export function hashOf(text: string): number {
	let hash = 0;
	for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
	return hash >>> 0;
}
