import { addQuantities, compareQuantities } from '../../meta/quantity.ts';
import type { PodSpec } from './schema/spec.ts';

/** Amounts of resources as quantities, by name of the resource: `{cpu: '500m'}`. */
export type ResourceList = Readonly<Record<string, string>>;

/**
 * What the containers of a Pod request together, by resource: the maximum of two sums, since init containers
 * run before the containers and not beside them. One is the sum over all containers and sidecars; the other,
 * for each init container, is its request and those of the sidecars that were started before it. Upstream:
 * `AggregateContainerRequests`.
 */
export function aggregateRequests(
	spec: Pick<PodSpec, 'containers' | 'initContainers'>,
): ReadonlyMap<string, string> {
	const running = new Map<string, string>();
	for (const { resources } of spec.containers) addAll(running, resources?.requests);
	const sidecars = new Map<string, string>();
	const starting = new Map<string, string>();
	for (const { resources, restartPolicy } of spec.initContainers ?? []) {
		const isSidecar = restartPolicy === 'Always';
		if (isSidecar) addAll(sidecars, resources?.requests);
		// A resource that this init container does not request needs no check: while it runs, only the sidecars
		// before it use that resource, and they are part of the first sum.
		for (const [name, amount] of Object.entries(resources?.requests ?? {})) {
			const beside = sidecars.get(name) ?? '0';
			raise(starting, name, isSidecar ? beside : addQuantities(beside, amount));
		}
	}
	addAll(running, Object.fromEntries(sidecars));
	for (const [name, amount] of starting) raise(running, name, amount);
	return running;
}

function addAll(amounts: Map<string, string>, more: ResourceList | undefined): void {
	for (const [name, amount] of Object.entries(more ?? {})) {
		const own = amounts.get(name);
		amounts.set(name, own === undefined ? amount : addQuantities(own, amount));
	}
}

/** Sets the amount of a resource to `amount` if it was lower, or absent. */
function raise(amounts: Map<string, string>, name: string, amount: string): void {
	const own = amounts.get(name);
	if (own === undefined || compareQuantities(own, amount) < 0) amounts.set(name, amount);
}
