import type { Pod } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import { type AffinityTerm, termsOf } from './affinity-terms.ts';
import { NodeUsage } from './node-usage.ts';

/** A question about Pods, asked by its signature: equal signatures mean the same question. */
export interface PodQuestion {
	readonly signature: string;
	matches(pod: Pod): boolean;
}

/** A term that Pods on nodes have, with the number of those Pods by node. */
export interface TermInUse {
	readonly term: AffinityTerm;
	/** How much it counts in a score; 0 for a required anti-affinity. */
	readonly weight: number;
	readonly podsByNode: ReadonlyMap<string, number>;
}

/** How much a required affinity of a Pod on a node counts in the scores of others (upstream: HardPodAffinityWeight). */
const REQUIRED_AFFINITY_WEIGHT = 1;

/** So many questions are kept up to date; each costs a match for every Pod that comes or goes. */
const MOST_QUESTIONS = 100;

interface Counted {
	readonly pod: Pod;
	readonly nodeName: string;
}

interface NodePods {
	readonly usage: NodeUsage;
	readonly byPriority: Map<number, Map<string, Pod>>;
}

interface Tally {
	readonly question: PodQuestion;
	readonly podsByNode: Map<string, number>;
}

/**
 * The Pods that count against nodes: those that are bound and have not ended, and those for which a
 * decision is made that the API does not show yet.
 *
 * 1. A Pod counts on one node at most; it is told apart by its UID.
 * 2. Everything that placement asks for is kept up to date as Pods come and go. No answer scans all
 *    Pods, except the first to a question that was not asked before.
 * 3. As long as no Pod has affinity terms and no predicate asks, a Pod costs a few additions.
 */
export class Occupancy {
	readonly #counted = new Map<string, Counted>();
	readonly #nodes = new Map<string, NodePods>();
	readonly #antiAffinity = new Map<string, MutableTermInUse>();
	readonly #preferences = new Map<string, MutableTermInUse>();
	readonly #tallies = new Map<string, Tally>();

	/** What the Pods on the node take from it. */
	usage(nodeName: string): NodeUsage {
		return this.#nodes.get(nodeName)?.usage ?? EMPTY;
	}

	/** The node that the Pod with this UID counts on. */
	nodeOf(uid: string): string | undefined {
		return this.#counted.get(uid)?.nodeName;
	}

	/** The Pods on the node whose priority is lower than `priority`. */
	lessImportant(nodeName: string, priority: number): readonly Pod[] {
		const found: Pod[] = [];
		for (const [each, pods] of this.#nodes.get(nodeName)?.byPriority ?? [])
			if (each < priority) found.push(...pods.values());
		return found;
	}

	/** The required anti-affinity terms of the Pods that count, each once. */
	get antiAffinityTerms(): Iterable<TermInUse> {
		return this.#antiAffinity.values();
	}

	/** The terms of the Pods that count by which they draw others to themselves, or keep them away. */
	get preferences(): Iterable<TermInUse> {
		return this.#preferences.values();
	}

	/** How many Pods on each node the question is true of; nodes without any are left out. */
	countByNode(question: PodQuestion): ReadonlyMap<string, number> {
		const { signature } = question;
		const known = this.#tallies.get(signature);
		const tally = known ?? { question, podsByNode: new Map<string, number>() };
		// Deleting and setting moves the question to the end, so that the one asked longest ago is first.
		this.#tallies.delete(signature);
		this.#tallies.set(signature, tally);
		if (known) return known.podsByNode;
		for (const counted of this.#counted.values()) count(tally, counted, 1);
		const [oldest] = this.#tallies.keys();
		if (oldest !== undefined && this.#tallies.size > MOST_QUESTIONS) this.#tallies.delete(oldest);
		return tally.podsByNode;
	}

	/** Forgets the answers to all questions, for when something else than a Pod changes them. */
	forgetAnswers(): void {
		this.#tallies.clear();
	}

	/** Counts `pod` on `nodeName` from now on, as it is now. */
	put(pod: Pod, nodeName: string): void {
		const { uid = '' } = pod.metadata;
		const old = this.#counted.get(uid);
		if (old?.pod === pod && old.nodeName === nodeName) return;
		if (old && old.nodeName === nodeName && countsTheSame(pod, old.pod)) {
			this.#counted.set(uid, { pod, nodeName });
			this.#nodes.get(nodeName)?.byPriority.get(priorityOf(pod))?.set(uid, pod);
			return;
		}
		if (old) this.#count(uid, old, -1);
		this.#count(uid, { pod, nodeName }, 1);
	}

	/** No longer counts the Pod with this UID; returns whether it did. */
	remove(uid: string): boolean {
		const old = this.#counted.get(uid);
		if (old) this.#count(uid, old, -1);
		return old !== undefined;
	}

	#count(uid: string, counted: Counted, by: 1 | -1): void {
		const { pod, nodeName } = counted;
		const node = this.#nodes.get(nodeName) ?? { usage: new NodeUsage(), byPriority: new Map() };
		const priority = priorityOf(pod);
		const alike: Map<string, Pod> = node.byPriority.get(priority) ?? new Map();
		if (by === 1) {
			this.#counted.set(uid, counted);
			this.#nodes.set(nodeName, node);
			node.usage.add(pod);
			node.byPriority.set(priority, alike.set(uid, pod));
		} else {
			this.#counted.delete(uid);
			node.usage.remove(pod);
			alike.delete(uid);
			if (alike.size === 0) node.byPriority.delete(priority);
			if (node.byPriority.size === 0) this.#nodes.delete(nodeName);
		}
		for (const tally of this.#tallies.values()) count(tally, counted, by);
		this.#countTerms(counted, by);
	}

	#countTerms({ pod, nodeName }: Counted, by: 1 | -1): void {
		const { affinity, antiAffinity, preferred } = termsOf(pod);
		for (const term of antiAffinity) use(this.#antiAffinity, { term, weight: 0, nodeName, by });
		for (const { term, weight } of preferred) use(this.#preferences, { term, weight, nodeName, by });
		for (const term of affinity)
			use(this.#preferences, { term, weight: REQUIRED_AFFINITY_WEIGHT, nodeName, by });
	}
}

/** The priority of a Pod (upstream: corev1helpers.PodPriority). */
export function priorityOf({ spec }: Pod): number {
	return spec.priority ?? 0;
}

const EMPTY = new NodeUsage();

interface MutableTermInUse extends TermInUse {
	readonly podsByNode: Map<string, number>;
}

interface TermUse {
	readonly term: AffinityTerm;
	readonly weight: number;
	readonly nodeName: string;
	readonly by: 1 | -1;
}

function use(terms: Map<string, MutableTermInUse>, { term, weight, nodeName, by }: TermUse): void {
	const key = `${weight} ${term.signature}`;
	const entry = terms.get(key) ?? { term, weight, podsByNode: new Map() };
	addCount(entry.podsByNode, nodeName, by);
	if (entry.podsByNode.size > 0) terms.set(key, entry);
	else terms.delete(key);
}

function count({ question, podsByNode }: Tally, { pod, nodeName }: Counted, by: 1 | -1): void {
	if (question.matches(pod)) addCount(podsByNode, nodeName, by);
}

function addCount(counts: Map<string, number>, key: string, by: number): void {
	const sum = (counts.get(key) ?? 0) + by;
	if (sum === 0) counts.delete(key);
	else counts.set(key, sum);
}

/** Most changes of a Pod are changes of its status, which count for nothing here. */
function countsTheSame(pod: Pod, old: Pod): boolean {
	return (
		Boolean(pod.metadata.deletionTimestamp) === Boolean(old.metadata.deletionTimestamp) &&
		semanticEqual(pod.metadata.labels, old.metadata.labels) &&
		sameSpec(pod, old)
	);
}

/**
 * Whether two versions of a Pod have the same spec, apart from its node. The generation tells, where the
 * API server counts it; comparing objects by identity would work for an informer in the process only.
 */
export function sameSpec(pod: Pod, old: Pod): boolean {
	const { generation } = pod.metadata;
	if (pod.spec === old.spec || (generation && generation === old.metadata.generation)) return true;
	return semanticEqual(pod.spec, old.spec);
}
