import { addQuantities, compareQuantities } from '../../meta/quantity.ts';
import type { PodSpec } from './spec-schema.ts';

/** Amounts of resources as quantities, by name: `{cpu: '500m'}`. */
export type ResourceList = Readonly<Record<string, string>>;

/**
 * What the containers of a Pod request together: the sum over containers and sidecars or, where it is
 * more, an init container together with the sidecars before it.
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
		// Of what the container does not request, the sidecars before it need no more than in the end.
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

function raise(amounts: Map<string, string>, name: string, amount: string): void {
	const own = amounts.get(name);
	if (own === undefined || compareQuantities(own, amount) < 0) amounts.set(name, amount);
}
