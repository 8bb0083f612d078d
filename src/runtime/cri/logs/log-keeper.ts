import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, sleep } from '../../../base/clock.ts';
import { type CriClient, CriError } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import type { TrackedCriContainer } from '../containers/cri-container.ts';
import { type RotationLimits, rotateLog } from './log-rotation.ts';

/** What the logs depend on. */
export interface LogKeeperOptions extends RotationLimits {
	readonly client: CriClient;
	readonly clock: Clock;
	onError(error: unknown): void;
}

/** A kubelet's containerLogMonitorInterval. */
const ROTATE_MS = 10_000;

/** Makes the folders of logs, which the runtime writes, and rotates the logs. */
export class LogKeeper {
	readonly #options: LogKeeperOptions;

	constructor(options: LogKeeperOptions) {
		this.#options = options;
	}

	/** Makes the folder of a log. */
	async prepare(path: string): Promise<void> {
		await mkdir(dirname(path), { recursive: true });
	}

	/** Rotates the logs of running containers until `signal` aborts. */
	run(containers: () => readonly TrackedCriContainer[], signal: AbortSignal): void {
		void (async () => {
			for (;;) {
				await sleep(this.#options.clock, ROTATE_MS, signal);
				if (signal.aborted) return;
				for (const container of containers())
					if (container.status.state === 'running') await this.#rotate(container);
			}
		})();
	}

	async #rotate({ criId: containerId, status }: TrackedCriContainer): Promise<void> {
		const { client, onError } = this.#options;
		try {
			await rotateLog(status.logPath, this.#options, () =>
				client.call(CRI.reopenContainerLog, { containerId }),
			);
		} catch (error) {
			// It has ended meanwhile.
			if (!(error instanceof CriError)) onError(error);
		}
	}
}
