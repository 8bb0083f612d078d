import type { Clock } from '../../base/clock.ts';
import type { Lifecycle } from '../../base/lifecycle.ts';
import type { VolumeHost } from '../../node/pods/volume-host.ts';
import { mountsVolumes } from '../../plan/pod/fields/runtime-fields.ts';
import type { Runtime } from '../../runtime/contract.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';
import { makeRuntime, type RuntimeSettings } from './make-runtime.ts';
import { type NodeVolumesSettings, nodeVolumes } from './node-volumes.ts';
import type { ServiceRange } from './services/service-range.ts';

/** What {@link startRuntime} needs of a server. */
export interface RuntimeContext {
	readonly options: Omit<RuntimeSettings, 'localServices'> &
		Pick<NodeVolumesSettings, 'log'> & { readonly port?: number };
	readonly services: Pick<ServiceRange, 'local'>;
	readonly clock: Clock;
	readonly lifecycle: Lifecycle;
	/** Resolved with whether tokens are mounted into containers. */
	readonly mounts: Pick<PromiseWithResolvers<boolean>, 'resolve'>;
	/** Where what works on files of containers is put. */
	readonly files: { current: ContainerFiles | undefined };
	onError(component: string, about: string, error: unknown): void;
}

/** Starts the container runtime of a server, and what keeps the volumes of its Pods. */
export async function startRuntime(
	{ options, services, clock, lifecycle, mounts, files, onError }: RuntimeContext,
	killsPods: () => boolean,
): Promise<{ readonly volumes: VolumeHost | undefined; readonly runtime: Runtime }> {
	// Before the runtime, so that they are removed after it has killed the containers.
	const volumes = await lifecycle.start(nodeVolumes({ ...options, clock, files }, killsPods));
	const runtime = await lifecycle.start({
		name: 'container runtime',
		start: async () => {
			const reported = (error: unknown): void => onError('runtime', options.runtime, error);
			const made = await makeRuntime({ ...options, localServices: services.local }, clock, reported);
			await made.start();
			files.current = made.containerFiles;
			// Without a listener there is no API that containers could use, and no certificate to mount beside the token.
			mounts.resolve(options.port !== undefined && mountsVolumes(made.traits));
			return made;
		},
		stop: (started) => started.stop({ killAll: killsPods() }),
	});
	return { volumes, runtime };
}
