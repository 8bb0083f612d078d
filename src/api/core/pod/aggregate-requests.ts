import { addQuantities, compareQuantities } from '../../meta/quantity.ts';
import type { PodSpec } from './spec-schema.ts';

/** Amounts of resources as quantities, by name: `{cpu: '500m'}`. */
export type ResourceList = Readonly<Record<string, string>>;

/**
 * What the containers of a Pod request together: the sum over containers and sidecars or, where it is
 * more, an init container together with the sidecars before it.
 */
export function aggregateRequests(spec: Pick<PodSpec, 'containers' | 'initContainers'>): ResourceList {
	let running: ResourceList = {};
	for (const { resources } of spec.containers) running = sum(running, resources?.requests ?? {});
	let sidecars: ResourceList = {};
	let starting: ResourceList = {};
	for (const { resources, restartPolicy } of spec.initContainers ?? []) {
		const own = sum(sidecars, resources?.requests ?? {});
		if (restartPolicy === 'Always') sidecars = own;
		starting = largest(starting, own);
	}
	return largest(sum(running, sidecars), starting);
}

function sum(a: ResourceList, b: ResourceList): ResourceList {
	return combined(a, b, addQuantities);
}

function largest(a: ResourceList, b: ResourceList): ResourceList {
	return combined(a, b, (one, other) => (compareQuantities(one, other) >= 0 ? one : other));
}

function combined(
	a: ResourceList,
	b: ResourceList,
	combine: (one: string, other: string) => string,
): ResourceList {
	const result: Record<string, string> = { ...a };
	for (const [resource, quantity] of Object.entries(b)) {
		const own = result[resource];
		result[resource] = own === undefined ? quantity : combine(own, quantity);
	}
	return result;
}
