import type { EndpointSlicePort, SliceEndpoint } from '../../../api/discovery/endpointslice/schema.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';

/** Endpoints that have no place in a slice yet, by their identity. */
export class EndpointSet {
	readonly #endpoints = new Map<string, SliceEndpoint>();

	constructor(endpoints: Iterable<SliceEndpoint>) {
		for (const endpoint of endpoints) this.#endpoints.set(identityOf(endpoint), endpoint);
	}

	get size(): number {
		return this.#endpoints.size;
	}

	/** Removes the endpoint with the identity of `like`, and returns it. */
	take(like: SliceEndpoint): SliceEndpoint | undefined {
		const key = identityOf(like);
		const endpoint = this.#endpoints.get(key);
		this.#endpoints.delete(key);
		return endpoint;
	}

	/** The endpoint with the identity of `like`. */
	get(like: SliceEndpoint): SliceEndpoint | undefined {
		return this.#endpoints.get(identityOf(like));
	}

	/** Removes the first `count` endpoints, and returns them. */
	takeFirst(count: number): readonly SliceEndpoint[] {
		const taken: SliceEndpoint[] = [];
		for (const [key, endpoint] of this.#endpoints) {
			if (taken.length >= count) break;
			this.#endpoints.delete(key);
			taken.push(endpoint);
		}
		return taken;
	}
}

/** What tells endpoints apart: addresses, host name and object. Pods without a network of their own share an address. */
function identityOf({ addresses, hostname, targetRef }: SliceEndpoint): string {
	const { kind, namespace, name, uid } = targetRef ?? {};
	return JSON.stringify([addresses.toSorted(), hostname, kind, namespace, name, uid]);
}

/** Whether two endpoints of one identity are in the same state (upstream: `EndpointsEqualBeyondHash`). */
export function isSameState(a: SliceEndpoint, b: SliceEndpoint): boolean {
	return (
		a.nodeName === b.nodeName &&
		a.zone === b.zone &&
		semanticEqual(a.conditions, b.conditions) &&
		a.targetRef?.resourceVersion === b.targetRef?.resourceVersion
	);
}

/** A text that is equal for ports that can share a slice: those that are the same in any order. */
export function portsKey(ports: readonly EndpointSlicePort[]): string {
	const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
		JSON.stringify([name, protocol, port ?? null, appProtocol ?? null]),
	);
	return texts.sort().join();
}
