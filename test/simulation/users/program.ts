import type { ContainerConfig } from '../../../src/api/contract/container-config.ts';
import type { SandboxConfig } from '../../../src/api/contract/sandbox-config.ts';
import { sleep } from '../../../src/base/clock.ts';
import { SeededRandom } from '../../../src/base/testing/seeded-random.ts';
import type { ExecConfig } from '../../../src/runtime/contract.ts';
import type { FakeExec } from '../../../src/runtime/fake/fake-exec.ts';
import type { FakeProgram } from '../../../src/runtime/fake/fake-program.ts';

/**
 * What a simulated container does, by its arguments: `run=` and `jitter=` are milliseconds, `failing=` is the
 * probability of a non-zero exit code, `ignores-term` ignores SIGTERM. The draw depends on the Pod, the
 * container and the attempt alone, so that the order in which containers start does not matter.
 */
export function simulatedProgram(config: ContainerConfig, { podUid }: SandboxConfig): FakeProgram {
	const random = new SeededRandom(hashOf(`${podUid}/${config.name}/${config.attempt}`));
	const { args } = config;
	const fails = random.next() < argumentOf(args, 'failing');
	return {
		runMs: Math.round(argumentOf(args, 'run') + argumentOf(args, 'jitter') * random.next()),
		exitCode: fails ? 1 + Math.floor(random.next() * 3) : 0,
		ignoresTerm: args.includes('ignores-term'),
	};
}

/** What a command of a probe or hook does, by the same arguments. The draw depends on the container and the time. */
export function simulatedExec({ command }: ExecConfig, { labels, name }: ContainerConfig): FakeExec {
	const uid = labels['io.kubernetes.pod.uid'] ?? '';
	return async ({ clock, signal }) => {
		const random = new SeededRandom(hashOf(`${uid}/${name}/${command.join(' ')}/${clock.now()}`));
		const runMs = argumentOf(command, 'run');
		if (runMs > 0) await sleep(clock, runMs, signal);
		return random.next() < argumentOf(command, 'failing') ? 1 : 0;
	};
}

function argumentOf(args: readonly string[], name: string): number {
	return Number(args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
}

/** A 32-bit hash of a text, for seeds. */
export function hashOf(text: string): number {
	let hash = 0;
	for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
	return hash >>> 0;
}
