import type { Clock } from '../../base/clock.ts';
import { resourcesOf } from '../../plan/pod/config/resources.ts';
import type { ContainerResize } from '../../plan/pod/plan.ts';
import type { ResizeState } from '../../plan/pod/snapshot.ts';
import { ContainerResizeError, type Runtime } from '../../runtime/contract.ts';

/**
 * Changes the resources of running containers, and remembers the outcome until the Pod's status reports it. In memory
 * only: a new agent repeats a resize that the status does not report, which changes nothing.
 */
export class ContainerResizes {
	readonly #runtime: Pick<Runtime, 'updateContainerResources'>;
	readonly #clock: Clock;
	/** By Pod UID, then by container id; `failedAt` is by the monotonic clock. */
	readonly #entries = new Map<string, Map<string, ResizeState>>();

	constructor(runtime: Pick<Runtime, 'updateContainerResources'>, clock: Clock) {
		this.#runtime = runtime;
		this.#clock = clock;
	}

	/** The outcomes for the Pod, by container id. */
	of(podUid: string): ReadonlyMap<string, ResizeState> {
		const offset = this.#clock.now() - this.#clock.monotonic();
		return new Map(
			Array.from(this.#entries.get(podUid) ?? [], ([id, { failedAt, ...rest }]) => [
				id,
				{ ...rest, ...(failedAt !== undefined && { failedAt: failedAt + offset }) },
			]),
		);
	}

	/** Performs the resizes of a plan. Rejects with RuntimeUnavailable. */
	async apply(podUid: string, resizes: readonly ContainerResize[]): Promise<void> {
		if (resizes.length === 0) return;
		const entries = this.#entries.get(podUid) ?? new Map<string, ResizeState>();
		this.#entries.set(podUid, entries);
		for (const { id, resources } of resizes) {
			try {
				await this.#runtime.updateContainerResources(id, resourcesOf(resources));
				entries.set(id, { resources });
			} catch (error) {
				if (!(error instanceof ContainerResizeError)) throw error;
				entries.set(id, { error: error.message, failedAt: this.#clock.monotonic() });
			}
		}
	}

	/** Forgets the outcomes for the Pod, once they are reported or it has ended. */
	forget(podUid: string): void {
		this.#entries.delete(podUid);
	}
}
