import { SystemClock } from '../../base/clock.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { SystemRandom } from '../../base/random.ts';
import { CommandError } from '../../cli/context.ts';
import { followTag } from '../../image/registry-server/image-names.ts';
import { RegistryServer } from '../../image/registry-server/registry-server.ts';
import { machineImages, openMachineStore } from '../images/machine-images.ts';
import type { Log } from '../log.ts';

/** The settings of `stint registry`. */
export interface RegistrySettings {
	readonly imageFolder: string;
	readonly registriesPath: string;
	/** The port on 127.0.0.1; 0: any free port. */
	readonly port: number;
	/** Further names of this machine by which clients may call the registry. */
	readonly hostNames: readonly string[];
	readonly log: Log;
	/** Stops the registry when it aborts. */
	readonly signal: AbortSignal;
	/** Called once it listens. */
	onReady(port: number): void;
}

/** Serves the registry of a folder of images until `signal` aborts. Rejects with an error for the user if it cannot. */
export async function serveRegistry(settings: RegistrySettings): Promise<void> {
	const { imageFolder, registriesPath, log, signal } = settings;
	const clock = new SystemClock();
	const onError = (error: unknown): void => log.error('registry', '', error);
	const access = await machineImages({ imageFolder, registriesPath, clock, onError });
	const store = await openMachineStore(access, imageFolder);
	try {
		const registry = await listening(settings, {
			store,
			clock,
			random: new SystemRandom(),
			hostNames: settings.hostNames,
			onError,
			onTag: async (change) => {
				await followTag(store, change, settings.hostNames);
				const { host, name, tag, digest } = change;
				log.info(`${digest === undefined ? 'removed' : 'pushed'} ${host}/${name}:${tag}`);
			},
		});
		settings.onReady(registry.port);
		if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
		await registry.close();
	} finally {
		await store.close();
	}
}

async function listening(
	{ port }: RegistrySettings,
	options: Parameters<typeof RegistryServer.listen>[0],
): Promise<RegistryServer> {
	try {
		return await RegistryServer.listen(options, port);
	} catch (error) {
		const code = codeOf(error);
		if (code === 'EADDRINUSE')
			throw new CommandError(`port ${port} on 127.0.0.1 is in use; choose another one (0 for any free port)`);
		if (code === 'EACCES')
			throw new CommandError(`port ${port} on 127.0.0.1 requires privileges that this user does not have`);
		throw error;
	}
}
