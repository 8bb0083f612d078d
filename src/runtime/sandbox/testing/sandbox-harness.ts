import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import { removeTree } from '../../../base/files/remove-tree.ts';
import { SystemRandom } from '../../../base/random.ts';
import { RegistryDouble } from '../../../image/testing/registry-double.ts';
import type { ProcessIdentity } from '../../process/launcher/process-table.ts';
import { shimFile } from '../../process/shim/shim-file.ts';
import type { RuntimeHarness } from '../../testing/contract-machine.ts';
import { echoingPorts } from '../../testing/echoing-ports.ts';
import { imagesRefusal, probeForImages } from '../image-machine.ts';
import { SandboxRuntime, type SandboxRuntimeOptions } from '../sandbox-runtime.ts';
import { busyboxImage, missingBusybox } from './busybox-image.ts';

/** A registry and a store of images that the machines of a test file share. */
export class SandboxWorld {
	readonly registry: RegistryDouble;
	readonly root = mkdtempSync(join(tmpdir(), 'stint-sandbox-'));

	private constructor(registry: RegistryDouble) {
		this.registry = registry;
	}

	/** Starts the registry, with the image `busybox`. */
	static async open(): Promise<SandboxWorld> {
		const registry = await RegistryDouble.start();
		registry.add('busybox', 'latest', busyboxImage());
		return new SandboxWorld(registry);
	}

	/** The name of the image `busybox` in the registry. */
	get busybox(): string {
		return `${this.registry.host}/busybox`;
	}

	/** A runtime with the shared store, and a launcher of its own in the folder. */
	runtimeIn(folder: string, options: Pick<SandboxRuntimeOptions, 'podNetwork'> = {}): SandboxRuntime {
		return new SandboxRuntime({
			...options,
			...{ folder: join(folder, 'launcher'), owner: folder, version: 'test', clock: new SystemClock() },
			...{ imageFolder: join(this.root, 'images'), registriesPath: join(this.root, 'registries.yaml') },
			random: new SystemRandom(),
			onError: (error) => {
				throw error;
			},
		});
	}

	async close(): Promise<void> {
		await this.registry.stop();
		await removeTree(this.root);
	}
}

/** Why images cannot be run on this machine; undefined if they can. */
export async function missingForSandbox(): Promise<string | undefined> {
	const imageFolder = mkdtempSync(join(tmpdir(), 'stint-sandbox-trial-'));
	try {
		const shim = shimFile();
		const clock = new SystemClock();
		return imagesRefusal(shim, await probeForImages(shim, { imageFolder, clock })) ?? missingBusybox();
	} finally {
		rmSync(imageFolder, { recursive: true });
	}
}

/** A machine of the world, whose image is present. */
export async function openSandbox(world: SandboxWorld): Promise<RuntimeHarness> {
	const root = mkdtempSync(join(tmpdir(), 'stint-sandbox-data-'));
	const known = world.busybox;
	let connected: SandboxRuntime | undefined;
	const first = world.runtimeIn(root);
	await first.start();
	if (!(await first.imageStatus(known))) await first.pullImage(known);
	await first.stop();
	return {
		connect: () => {
			connected = world.runtimeIn(root);
			return connected;
		},
		outlivesCrash: true,
		crash: async () => {
			// LauncherLock has written this file.
			const holder = JSON.parse(
				readFileSync(join(root, 'launcher/launcher.lock'), 'utf8'),
			) as ProcessIdentity;
			process.kill(holder.pid, 'SIGKILL');
		},
		passTime: () => new Promise((resolve) => setImmediate(resolve)),
		logPath: (name) => join(root, 'logs', `${name}.log`),
		readLog: (path) => readFile(path, 'utf8').catch(() => ''),
		programs: {
			succeeds: ['true'],
			failsWith3: sh('exit 3'),
			runsForEver: ['sleep', '1000000'],
			endsAtTerm: sh('trap "exit 143" TERM; echo ready; while :; do sleep 1000 & wait; done'),
			ignoresTerm: sh('trap "" TERM; echo ready; while :; do sleep 1000; done'),
			talks: sh('echo out; echo err >&2'),
			writesLongLine: sh("head -c 65536 /dev/zero | tr '\\0' x"),
			leavesChild: sh('while :; do echo child; done & echo main'),
			isMissing: ['no-such-program-anywhere'],
			writesMessage: sh('printf why > /dev/termination-log'),
		},
		ports: echoingPorts,
		commands: {
			echoesInput: ['cat'],
			exitsWith3: sh('exit 3'),
			talks: sh('echo out; echo err >&2'),
			runsForEver: ['sleep', '1000000'],
			printsSizes: PRINTS_SIZES,
		},
		attachable: { echoesInput: ['cat'], printsSizes: PRINTS_SIZES, runsUntilStopped: ['sleep', '1000000'] },
		images: { known, unknown: `${world.registry.host}/not/known:1`, malformed: 'Not An Image' },
		close: async () => {
			await connected?.stop({ killAll: true });
			rmSync(root, { recursive: true, force: true, maxRetries: 10 });
		},
	};
}

// A size that came before the trap is printed too.
const PRINTS_SIZES = sh(
	'trap "stty size" WINCH; s=$(stty size 2>/dev/null); case $s in [1-9]*) echo "$s";; esac; while :; do sleep 0.05; done',
);

function sh(text: string): readonly string[] {
	return ['sh', '-c', text];
}
