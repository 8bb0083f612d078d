import type { NetworkRequest } from '../shim/shim-request.ts';
import { machineRoutes } from './machine-routes.ts';
import type { NodeNetwork, OpenedNetwork, PodBridge, ReadyBridge } from './pod-bridge.ts';
import { freeRanges, type PodRange, parseNetwork, parseRange } from './pod-range.ts';

/**
 * A bridge that is prepared once for all Pods: again after a failure, a renewal, or a change of the addresses of Services. What
 * that means differs between its two kinds.
 */
export abstract class PreparedBridge implements PodBridge {
	#ready: Promise<ReadyBridge> | undefined;
	#services: string | undefined;

	/** The addresses of Services; undefined: they do not lead to the server by the bridge. */
	protected get services(): string | undefined {
		return this.#services;
	}

	open({ serviceRange }: OpenedNetwork): void {
		if (this.#services !== serviceRange) this.renew();
		this.#services = serviceRange;
	}

	async prepared(wanted: string): Promise<ReadyBridge> {
		this.#ready ??= this.prepare(wanted);
		try {
			return await this.#ready;
		} catch (error) {
			this.renew();
			throw error;
		}
	}

	renew(): void {
		this.#ready = undefined;
	}

	/** Resolves once the bridge is neither being prepared nor prepared any more. */
	protected async unprepared(): Promise<void> {
		await this.#ready?.catch(() => {});
		this.renew();
	}

	/**
	 * The ranges like `wanted` that neither the routes of this machine nor Services have: Pods could not reach what has the same
	 * addresses. Throws if `wanted` is no range.
	 */
	protected freeRanges(wanted: string): Iterable<PodRange> {
		const services = parseNetwork(this.#services ?? '');
		return freeRanges(rangeOf(wanted), [...machineRoutes(), ...(services ? [services] : [])]);
	}

	/** Finds the bridge or makes it. */
	protected abstract prepare(wanted: string): Promise<ReadyBridge>;
	abstract nodeFor(range: string): Promise<NodeNetwork | undefined>;
	abstract change(request: NetworkRequest): Promise<number | undefined>;
	abstract remove(): Promise<void> | undefined;
}

/** Why there is no bridge if {@link PreparedBridge.freeRanges} is empty. */
export const NO_FREE_RANGE = 'this machine has routes to all ranges of addresses that Pods could have';

/** The range that is written so. Throws an Error that a user can read if it is none. */
export function rangeOf(wanted: string): PodRange {
	const range = parseRange(wanted);
	if (!range) throw new Error(`${wanted} is no range of IPv4 addresses`);
	return range;
}
