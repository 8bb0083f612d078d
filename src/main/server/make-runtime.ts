import type { Clock } from '../../base/clock.ts';
import { SystemRandom } from '../../base/random.ts';
import { calledAs } from '../../cli/called-as.ts';
import type { Runtime } from '../../runtime/contract.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';
import type { DataFolder } from './data-folder.ts';

/** The settings of {@link makeRuntime}, which are those of the server. */
export interface RuntimeSettings {
	readonly runtime: 'process' | 'fake';
	readonly folder: DataFolder;
	readonly isEphemeral?: boolean;
	readonly log: Pick<Log, 'info'>;
}

/** The container runtime that the options name, not started. Only its own modules are loaded. */
export async function makeRuntime(
	{ runtime, folder, isEphemeral, log }: RuntimeSettings,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	if (runtime === 'fake') {
		const { FakeRuntime } = await import('../../runtime/fake/fake-runtime.ts');
		return new FakeRuntime({ clock, random: new SystemRandom() });
	}
	const { ProcessRuntime } = await import('../../runtime/process/process-runtime.ts');
	const { ImageTable } = await import('../../runtime/process/images/image-table.ts');
	const images = new ImageTable(folder.images);
	return new ProcessRuntime({
		folder: folder.runtime,
		clock,
		images,
		version: VERSION,
		onError,
		onUnisolated: (reason) =>
			log.info(`containers are not isolated from this machine (${reason}); why: ${calledAs('doctor')}`),
		...(isEphemeral && { removeAtEnd: folder.path }),
	});
}
