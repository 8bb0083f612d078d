import { homedir } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { SystemRandom } from '../../base/random.ts';
import { calledAs } from '../../cli/called-as.ts';
import type { RuntimeName } from '../../cli/runtime-name.ts';
import type { Runtime } from '../../runtime/contract.ts';
import type { PodNetworkWish } from '../../runtime/process/network/network-choice.ts';
import type { NetworkOptions } from '../../runtime/process/network/runtime-networks.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';
import type { DataFolder } from './data-folder.ts';

/** The settings of {@link makeRuntime}, which are those of the server. */
export interface RuntimeSettings {
	readonly runtime: RuntimeName;
	/** The socket of the container engine, for the runtimes `docker` and `cri`. Default: the first that is found. */
	readonly runtimeEndpoint?: string;
	readonly folder: DataFolder;
	readonly isEphemeral?: boolean;
	/** The most processes that a Pod may have; 0 or absent: not limited. */
	readonly podMaxPids?: number;
	/** Whose network Pods have, and the addresses of those with one of their own. Only for host processes and images. */
	readonly podNetwork?: PodNetworkWish;
	readonly podRange?: string;
	/** The addresses of Services that the bridge of the Pods makes this machine's; absent: Pods do not reach Services by it. */
	readonly localServices?: string | undefined;
	readonly log: Pick<Log, 'info' | 'warning'>;
}

/** The container runtime that the options name, not started. Only its own modules are loaded. */
export async function makeRuntime(
	settings: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	const runtime = settings.runtime === 'auto' ? await firstAllowed(settings, clock) : settings.runtime;
	if (runtime === 'docker') return await engineRuntime(settings, clock, onError);
	if (runtime === 'cri') return await criRuntime(settings, clock, onError);
	if (runtime === 'sandbox') return await sandboxRuntime(settings, clock, onError);
	if (runtime === 'process') return await processRuntime(settings, clock, onError);
	const { FakeRuntime } = await import('../../runtime/fake/fake-runtime.ts');
	return new FakeRuntime({ clock, random: new SystemRandom() });
}

/** The first runtime of `auto` that this machine allows. The choice, with its reason, is logged. */
async function firstAllowed(
	{ folder, log }: RuntimeSettings,
	clock: Clock,
): Promise<'sandbox' | 'docker' | 'process'> {
	const { probeMachine } = await import('../../runtime/process/shim/probe.ts');
	const { shimFile } = await import('../../runtime/process/shim/shim-file.ts');
	const shim = shimFile();
	const { roots, reason } = await probeMachine(shim);
	if (roots === 'allowed') {
		log.info('containers run by the runtime sandbox, from images; another one: --runtime NAME');
		return 'sandbox';
	}
	const { findEndpoint } = await import('../../runtime/docker/engine/engine-endpoint.ts');
	const found = findEndpoint({ env: process.env, home: homedir() });
	const { probeForImages } = await import('../../runtime/sandbox/image-machine.ts');
	// An engine isolates containers, which this level does not.
	const byChroot = async (): Promise<boolean> =>
		(await probeForImages(shim, { imageFolder: folder.imageStore, clock })).level === 'chroot';
	const name = 'socketPath' in found ? 'docker' : (await byChroot()) ? 'sandbox' : 'process';
	log.info(`containers run by the runtime ${name}, since this machine cannot isolate them (${reason})`);
	return name;
}

const UNREACHABLE =
	'Pods with networks of their own do not reach Services here: --pod-network pod gives Services addresses that they reach, unless --service-cluster-ip-range is a loopback range';

/** The options about the networks of Pods. What they come to is logged. */
function networkOptions({
	podNetwork,
	podRange,
	localServices,
	log,
}: RuntimeSettings): Omit<NetworkOptions, 'onError' | 'clock'> {
	return {
		...(podNetwork && { podNetwork }),
		...(podRange !== undefined && { podRange }),
		...(localServices !== undefined && { serviceRange: localServices }),
		onPodNetwork: (choice) => {
			if (choice.kind === 'pod' && localServices === undefined) log.warning(UNREACHABLE);
			if (choice.kind === 'pod') log.info('Pods have networks of their own');
			else if (choice.reason !== undefined)
				log.info(`Pods have the network of this machine, since they cannot have their own: ${choice.reason}`);
		},
		onConfined: (reason) => log.info(`Pods reach no other machine: ${reason}`),
	};
}

async function sandboxRuntime(
	settings: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	const { folder, isEphemeral, podMaxPids = 0, log } = settings;
	const { SandboxRuntime } = await import('../../runtime/sandbox/sandbox-runtime.ts');
	return new SandboxRuntime({
		...networkOptions(settings),
		folder: folder.runtime,
		clock,
		version: VERSION,
		podMaxPids,
		onError,
		imageFolder: folder.imageStore,
		owner: folder.path,
		registriesPath: folder.registries,
		random: new SystemRandom(),
		onUnisolated: (reason) =>
			log.info(
				`containers have roots of their own by chroot, and all else is that of this machine (level chroot: ${reason}); why: ${calledAs('doctor')}`,
			),
		...(isEphemeral && { removeAtEnd: folder.path }),
	});
}

async function processRuntime(
	settings: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	const { folder, isEphemeral, podMaxPids = 0, log } = settings;
	const { ProcessRuntime } = await import('../../runtime/process/process-runtime.ts');
	const { ImageTable } = await import('../../runtime/process/images/image-table.ts');
	return new ProcessRuntime({
		...networkOptions(settings),
		folder: folder.runtime,
		clock,
		images: new ImageTable(folder.images),
		version: VERSION,
		podMaxPids,
		onError,
		onUnisolated: (reason) =>
			log.info(`containers are not isolated from this machine (${reason}); why: ${calledAs('doctor')}`),
		...(isEphemeral && { removeAtEnd: folder.path }),
	});
}

/** The runtime of the container engine that the settings name, or that is found. Rejects if there is none. */
async function engineRuntime(
	{ folder, runtimeEndpoint, podMaxPids = 0, log }: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	const { findEndpoint } = await import('../../runtime/docker/engine/engine-endpoint.ts');
	const { DockerRuntime } = await import('../../runtime/docker/docker-runtime.ts');
	const endpoint = runtimeEndpoint === undefined ? {} : { endpoint: runtimeEndpoint };
	const found = findEndpoint({ ...endpoint, env: process.env, home: homedir() });
	if ('problem' in found) throw new Error(found.problem);
	log.info(`containers run in the engine at ${found.socketPath}`);
	return new DockerRuntime({
		folder: folder.runtime,
		socketPath: found.socketPath,
		clock,
		maxPids: podMaxPids,
		onError,
	});
}

/** The runtime of the CRI that the settings name, or that is found. Rejects if there is none. */
async function criRuntime(
	{ folder, runtimeEndpoint, podMaxPids = 0, log }: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	const { findCriEndpoint } = await import('../../runtime/cri/client/cri-endpoint.ts');
	const { CriRuntime } = await import('../../runtime/cri/cri-runtime.ts');
	const endpoint = runtimeEndpoint === undefined ? {} : { endpoint: runtimeEndpoint };
	const found = findCriEndpoint({ ...endpoint, env: process.env });
	if ('problem' in found) throw new Error(found.problem);
	const { socketPath } = found;
	log.info(`containers run in the runtime of the CRI at ${socketPath}`);
	return new CriRuntime({ folder: folder.runtime, socketPath, clock, maxPids: podMaxPids, onError });
}
