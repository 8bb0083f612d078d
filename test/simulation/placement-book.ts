import type { Node } from '../../src/api/core/node/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { Violations } from './violations.ts';

/** What a {@link PlacementBook} is made with. */
export interface PlacementBookOptions {
	readonly violations: Violations;
	/** Every Pod that exists now. */
	pods(): readonly Pod[];
	/** The Node of this name, if it exists. */
	node(name: string): Node | undefined;
}

/**
 * Keeps book of what nodes are given, and who makes room for whom; see violations.ts for the numbers. What
 * the scheduler has not heard of yet only makes it more careful (a Pod that ended still counts for it), so
 * each binding is judged by the state at that moment. The rules stand here a second time, in the simplest way.
 */
export class PlacementBook {
	readonly #options: PlacementBookOptions;
	/** The highest priority that was ever promised room on a node. */
	readonly #promised = new Map<string, number>();

	constructor(options: PlacementBookOptions) {
		this.#options = options;
	}

	/** A Pod was made or changed. */
	podChanged(pod: Pod, old: Pod | undefined): void {
		const { nominatedNodeName } = pod.status;
		if (nominatedNodeName) {
			const before = this.#promised.get(nominatedNodeName) ?? Number.NEGATIVE_INFINITY;
			this.#promised.set(nominatedNodeName, Math.max(before, priorityOf(pod)));
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
		const asked = [pod, ...others].reduce((sum, each) => sum + cpuOf(each), 0);
		const check = (holds: boolean, why: () => string): void =>
			this.#options.violations.check(holds, 24, () => `${text}, ${why()}`);
		if (cpu !== undefined)
			check(asked <= milli(cpu), () => `of which ${asked}m are asked, and it has ${cpu}`);
		for (const other of others) {
			check(!repels(pod, other), () => `where ${other.metadata.name} is, from which it wants to be away`);
			check(!repels(other, pod), () => `where ${other.metadata.name} is, which wants to be away from it`);
			const port = portsOf(pod).find((each) => portsOf(other).includes(each));
			check(port === undefined, () => `where ${other.metadata.name} holds port ${port}`);
		}
	}

	#checkPreemption(victim: Pod): void {
		const { nodeName } = victim.spec;
		// A victim may be about to be bound: then it does not tell which node it is preempted on.
		const promised = nodeName ? this.#promised.get(nodeName) : Math.max(...this.#promised.values());
		this.#options.violations.check(
			promised !== undefined && promised > priorityOf(victim),
			25,
			`Pod ${victim.metadata.name} of priority ${priorityOf(victim)} is preempted on ${nodeName} for one of ${promised}`,
		);
	}
}

function hasEnded({ status }: Pod): boolean {
	return status.phase === 'Succeeded' || status.phase === 'Failed';
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

/** Simulated Pods keep apart by node only, and by one label. */
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
