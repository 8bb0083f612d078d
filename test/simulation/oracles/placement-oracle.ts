import type { Node } from '../../../src/api/core/node/schema.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import type { Violations } from './violations.ts';

/** What a {@link PlacementOracle} needs. */
export interface PlacementOracleOptions {
	readonly violations: Violations;
	/** Every Pod that exists now. */
	pods(): readonly Pod[];
	/** The Node of this name, if it exists. */
	node(name: string): Node | undefined;
}

/**
 * Judges bindings and preemptions (invariants 24 and 25 of violations.ts). Each binding is judged by the
 * store's state at that moment: a stale cache only makes the scheduler more careful, because a Pod that has
 * ended still counts there. The predicates are written a second time here, in the simplest way, so that a fault
 * in the scheduler's own is visible.
 */
export class PlacementOracle {
	readonly #options: PlacementOracleOptions;
	/** The highest priority of a Pod that was ever nominated for a node, by the name of the node. */
	readonly #nominated = new Map<string, number>();

	constructor(options: PlacementOracleOptions) {
		this.#options = options;
	}

	/** A Pod has been created or updated. */
	podChanged(pod: Pod, old: Pod | undefined): void {
		const { nominatedNodeName } = pod.status;
		if (nominatedNodeName) {
			const before = this.#nominated.get(nominatedNodeName) ?? Number.NEGATIVE_INFINITY;
			this.#nominated.set(nominatedNodeName, Math.max(before, priorityOf(pod)));
		}
		if (pod.spec.nodeName && !old?.spec.nodeName) this.#checkBinding(pod, pod.spec.nodeName);
		if (isPreempted(pod) && old && !isPreempted(old)) this.#checkPreemption(pod);
	}

	#checkBinding(pod: Pod, nodeName: string): void {
		const others = this.#options
			.pods()
			.filter((other) => other.spec.nodeName === nodeName && !hasEnded(other) && other !== pod)
			.filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
		const text = `Pod ${pod.metadata.name} is bound to ${nodeName}`;
		const { cpu } = this.#options.node(nodeName)?.status.allocatable ?? {};
		const requested = [pod, ...others].reduce((sum, each) => sum + cpuOf(each), 0);
		const check = (holds: boolean, why: () => string): void =>
			this.#options.violations.check(holds, 24, () => `${text}, ${why()}`);
		if (cpu !== undefined)
			check(requested <= milli(cpu), () => `whose Pods request ${requested}m of cpu, and it has ${cpu}`);
		for (const other of others) {
			check(!repels(pod, other), () => `where ${other.metadata.name} is, to which its anti-affinity is`);
			check(!repels(other, pod), () => `where ${other.metadata.name} is, whose anti-affinity is to it`);
			const port = portsOf(pod).find((each) => portsOf(other).includes(each));
			check(port === undefined, () => `where ${other.metadata.name} holds port ${port}`);
		}
	}

	#checkPreemption(victim: Pod): void {
		const { nodeName } = victim.spec;
		// A victim that is not bound yet does not show on which node it is preempted.
		const nominated = nodeName ? this.#nominated.get(nodeName) : Math.max(...this.#nominated.values());
		this.#options.violations.check(
			nominated !== undefined && nominated > priorityOf(victim),
			25,
			`Pod ${victim.metadata.name} of priority ${priorityOf(victim)} is preempted on ${nodeName} for one of ${nominated}`,
		);
	}
}

function priorityOf({ spec }: Pod): number {
	return spec.priority ?? 0;
}

function isPreempted({ status }: Pod): boolean {
	return status.conditions?.some(({ reason }) => reason === 'PreemptionByScheduler') ?? false;
}

function cpuOf({ spec }: Pod): number {
	return spec.containers.reduce((sum, { resources }) => sum + milli(resources?.requests?.cpu ?? '0'), 0);
}

function milli(cpu: string): number {
	return cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000;
}

/**
 * Whether `pod` has required anti-affinity to `other`. Simulated Pods use one label and the topology of nodes
 * only.
 */
function repels({ spec, metadata }: Pod, other: Pod): boolean {
	const terms = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
	return terms.some(({ labelSelector }) => {
		const wanted = Object.entries(labelSelector?.matchLabels ?? {});
		const isSame = metadata.namespace === other.metadata.namespace;
		return isSame && wanted.every(([key, value]) => other.metadata.labels?.[key] === value);
	});
}

function portsOf({ spec }: Pod): readonly number[] {
	return spec.containers.flatMap(({ ports = [] }) =>
		ports.flatMap(({ hostPort }) => (hostPort ? [hostPort] : [])),
	);
}
