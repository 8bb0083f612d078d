import type { Container, Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { memoize } from '../../../base/collections/memoize.ts';

/**
 * Amounts by resource name in the units of upstream's scheduler: `cpu` in millicores, all other resources in
 * whole units, rounded up. The number of Pods is the resource `pods`.
 */
export type Amounts = ReadonlyMap<string, number>;

/** The resources that a Pod uses on its node. */
export interface PodRequests {
	/** The requests that must fit: only positive amounts, and always 1 of `pods`. */
	readonly amounts: Amounts;
	/** The requests for scoring: a container without a request for `cpu` or `memory` counts with a minimum. */
	readonly forScores: Amounts;
}

/**
 * The assumed requests of a container without requests, for scoring (upstream: DefaultMilliCPURequest,
 * DefaultMemoryRequest).
 */
const MINIMUM: Amounts = new Map([
	['cpu', 100],
	['memory', 200 * 1024 * 1024],
]);

/**
 * The requests of a Pod (upstream: PodRequests in component-helpers/resource). For each resource: the sum over
 * containers and sidecars or, if larger, an init container plus the sidecars started before it. Requests at Pod
 * level replace that amount. The overhead is added.
 */
export function podRequests(pod: Pod): PodRequests {
	return requestsOfSpec(pod.spec);
}

const requestsOfSpec = memoize((spec: PodSpec): PodRequests => {
	const amounts = new Map([...total(spec, requestsOf)].filter(([, amount]) => amount > 0));
	amounts.set('pods', 1);
	return { amounts, forScores: total(spec, requestsForScores) };
});

/** The amounts of a resource list such as `{cpu: '500m'}`. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
	const amounts = new Map<string, number>();
	for (const [resource, quantity] of Object.entries(list ?? {}))
		amounts.set(resource, resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity));
	return amounts;
}

function total(spec: PodSpec, of: (container: Container) => Amounts): Amounts {
	const running = new Map<string, number>();
	for (const container of spec.containers) {
		for (const [resource, amount] of of(container)) {
			running.set(resource, (running.get(resource) ?? 0) + amount);
		}
	}
	let sidecars: Amounts = new Map();
	let starting: Amounts = new Map();
	for (const container of spec.initContainers ?? []) {
		const own = combine(sidecars, of(container), plus);
		if (container.restartPolicy === 'Always') sidecars = own;
		starting = combine(starting, own, Math.max);
	}
	const needed = combine(combine(running, sidecars, plus), starting, Math.max);
	return combine(withPodLevel(needed, spec), amountsOf(spec.overhead), plus);
}

function requestsOf({ resources }: Container): Amounts {
	return amountsOf(resources?.requests);
}

function requestsForScores(container: Container): Amounts {
	return new Map([...MINIMUM, ...requestsOf(container)]);
}

/** Replaces amounts by requests at Pod level, which exist only for cpu, memory and huge pages. */
function withPodLevel(needed: Amounts, { resources }: PodSpec): Amounts {
	if (!resources?.requests) return needed;
	const whole = [...amountsOf(resources.requests)].filter(
		([resource]) => resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-'),
	);
	return new Map([...needed, ...whole]);
}

function plus(a: number, b: number): number {
	return a + b;
}

function combine(a: Amounts, b: Amounts, by: (x: number, y: number) => number): Amounts {
	const amounts = new Map(a);
	for (const [resource, amount] of b) amounts.set(resource, by(amounts.get(resource) ?? 0, amount));
	return amounts;
}
