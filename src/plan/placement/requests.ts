import type { Container, Pod, PodSpec } from '../../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import { memoize } from '../../base/memoize.ts';

/**
 * Amounts by resource name, as upstream's scheduler counts them: `cpu` in thousandths of a core, every
 * other resource in whole units, rounded up. Pods count under `pods`.
 */
export type Amounts = ReadonlyMap<string, number>;

/** What a Pod takes from the resources of its node. */
export interface PodRequests {
	/** What the node must have: only amounts above zero, always one of `pods`. */
	readonly amounts: Amounts;
	/** Of `cpu` and `memory` with a minimum for each container that requests none: what scores spread by. */
	readonly forScores: Amounts;
}

/** What a container without requests is taken to use when nodes are scored (upstream: DefaultMilliCPURequest …). */
const MINIMUM: Amounts = new Map([
	['cpu', 100],
	['memory', 200 * 1024 * 1024],
]);

/**
 * What a Pod requests of a node, by upstream's rule (PodRequests in component-helpers/resource): the sum
 * over containers and sidecars, or, where it is more, an init container together with the sidecars
 * started before it; amounts that the Pod requests as a whole replace that sum; plus the overhead.
 */
export function podRequests(pod: Pod): PodRequests {
	return requestsOfSpec(pod.spec);
}

const requestsOfSpec = memoize((spec: PodSpec): PodRequests => {
	const amounts = new Map([...total(spec, requestsOf)].filter(([, amount]) => amount > 0));
	amounts.set('pods', 1);
	return { amounts, forScores: total(spec, requestsForScores) };
});

/** The amounts that a resource list (`{cpu: '500m'}`) names. */
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

/** Only cpu, memory and huge pages can be requested for the Pod as a whole. */
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
