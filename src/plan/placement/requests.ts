import type { Pod } from '../../api/core/pod/schema.ts';
import { quantityMilliValue } from '../../api/meta/quantity.ts';

/** Amounts by resource name, in thousandths of the resource's unit (`cpu`, `memory`, …; Pods count under `pods`). */
export type Amounts = Readonly<Record<string, number>>;

const ONE_POD: Amounts = { pods: 1000 };
const cached = new WeakMap<object, Amounts>();

/**
 * What a Pod asks of a node, by upstream's rule: the sum over containers and sidecars, or, where it is
 * more, the largest init container together with the sidecars started before it; plus the overhead.
 */
export function podRequests(pod: Pod): Amounts {
	const known = cached.get(pod.spec);
	if (known) return known;
	const amounts = computeRequests(pod);
	cached.set(pod.spec, amounts);
	return amounts;
}

function computeRequests({ spec }: Pod): Amounts {
	let running: Amounts = {};
	for (const container of spec.containers) running = add(running, amountsOf(container.resources?.requests));
	let sidecars: Amounts = {};
	let starting: Amounts = {};
	for (const container of spec.initContainers ?? []) {
		const own = amountsOf(container.resources?.requests);
		if (container.restartPolicy === 'Always') {
			sidecars = add(sidecars, own);
			starting = largest(starting, sidecars);
		} else {
			starting = largest(starting, add(sidecars, own));
		}
	}
	const needed = largest(add(running, sidecars), starting);
	return add(add(needed, amountsOf(spec.overhead)), ONE_POD);
}

/** The amounts that a resource list (`{cpu: '500m'}`) names. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
	const amounts: Record<string, number> = {};
	for (const [resource, quantity] of Object.entries(list ?? {}))
		amounts[resource] = quantityMilliValue(quantity);
	return amounts;
}

/** The sum, resource by resource. */
export function add(a: Amounts, b: Amounts): Amounts {
	return combine(a, b, (x, y) => x + y);
}

/** The difference, resource by resource. */
export function subtract(a: Amounts, b: Amounts): Amounts {
	return combine(a, b, (x, y) => x - y);
}

function largest(a: Amounts, b: Amounts): Amounts {
	return combine(a, b, Math.max);
}

function combine(a: Amounts, b: Amounts, by: (x: number, y: number) => number): Amounts {
	const amounts: Record<string, number> = { ...a };
	for (const [resource, amount] of Object.entries(b)) amounts[resource] = by(amounts[resource] ?? 0, amount);
	return amounts;
}
