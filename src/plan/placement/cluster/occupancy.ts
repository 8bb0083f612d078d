import type { Pod } from '../../../api/core/pod/schema.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { type AffinityTerm, termsOf } from '../affinity-terms.ts';
import { NodeUsage } from './node-usage.ts';

/** A query for Pods. Queries with equal signatures must match the same Pods: their results are shared. */
export interface PodQuestion {
	readonly signature: string;
	matches(pod: Pod): boolean;
}

/** An affinity term of Pods on nodes, with the number of these Pods by node name. */
export interface TermInUse {
	readonly term: AffinityTerm;
	/** Its weight in a score; 0 for a required anti-affinity. */
	readonly weight: number;
	readonly podsByNode: ReadonlyMap<string, number>;
}

/**
 * The weight of a required affinity of a Pod on a node in the scores of other Pods (upstream:
 * HardPodAffinityWeight).
 */
const REQUIRED_AFFINITY_WEIGHT = 1;

/**
 * Maximum number of queries that are kept up to date. Each costs a match for every Pod that is added or
 * removed.
 */
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
 * The Pods that use nodes: those that are bound and have not ended, and those that the scheduler has decided to
 * bind before the informer shows it.
 *
 * 1. A Pod, identified by its UID, counts on at most one node.
 * 2. All results are updated incrementally. No method scans all Pods, except for the first query with a new
 *    signature.
 * 3. Without affinity terms and queries, adding a Pod costs a few additions.
 */
export class Occupancy {
	readonly #counted = new Map<string, Counted>();
	readonly #nodes = new Map<string, NodePods>();
	readonly #antiAffinity = new Map<string, MutableTermInUse>();
	readonly #preferences = new Map<string, MutableTermInUse>();
	readonly #tallies = new Map<string, Tally>();

	/** The resources that the Pods on the node use. */
	usage(nodeName: string): NodeUsage {
		return this.#nodes.get(nodeName)?.usage ?? EMPTY;
	}

	/** The name of the node on which the Pod with this UID counts, or undefined. */
	nodeOf(uid: string): string | undefined {
		return this.#counted.get(uid)?.nodeName;
	}

	/** The Pods on the node with a priority below `priority`. */
	lessImportant(nodeName: string, priority: number): readonly Pod[] {
		const found: Pod[] = [];
		for (const [each, pods] of this.#nodes.get(nodeName)?.byPriority ?? [])
			if (each < priority) found.push(...pods.values());
		return found;
	}

	/** The distinct required anti-affinity terms of all Pods. */
	get antiAffinityTerms(): Iterable<TermInUse> {
		return this.#antiAffinity.values();
	}

	/** The distinct terms of all Pods that affect scores: preferred terms, and required affinities. */
	get preferences(): Iterable<TermInUse> {
		return this.#preferences.values();
	}

	/** The number of Pods on each node that match the query; nodes without such Pods are omitted. */
	countByNode(question: PodQuestion): ReadonlyMap<string, number> {
		const { signature } = question;
		const known = this.#tallies.get(signature);
		const tally = known ?? { question, podsByNode: new Map<string, number>() };
		// Deleting and setting moves the query to the end of the map, so that the least recently used one is first.
		this.#tallies.delete(signature);
		this.#tallies.set(signature, tally);
		if (known) return known.podsByNode;
		for (const counted of this.#counted.values()) count(tally, counted, 1);
		const [oldest] = this.#tallies.keys();
		if (oldest !== undefined && this.#tallies.size > MOST_QUESTIONS) this.#tallies.delete(oldest);
		return tally.podsByNode;
	}

	/** Discards the results of all queries, for changes that affect them but are not changes of Pods. */
	forgetAnswers(): void {
		this.#tallies.clear();
	}

	/** Counts this version of the Pod on `nodeName`, instead of an earlier version or node. */
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

	/** Removes the Pod with this UID; returns whether it was counted. */
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

/**
 * Whether two versions of a Pod are equal for all counts. Most changes affect only the status, which is not
 * counted.
 */
function countsTheSame(pod: Pod, old: Pod): boolean {
	return (
		Boolean(pod.metadata.deletionTimestamp) === Boolean(old.metadata.deletionTimestamp) &&
		semanticEqual(pod.metadata.labels, old.metadata.labels) &&
		sameSpec(pod, old)
	);
}

/**
 * Whether two versions of a Pod have the same spec. Equal generations prove it, if the API server sets them.
 * Comparing identities alone would work only for an informer in the same process as the API server.
 */
export function sameSpec(pod: Pod, old: Pod): boolean {
	const { generation } = pod.metadata;
	if (pod.spec === old.spec || (generation && generation === old.metadata.generation)) return true;
	return semanticEqual(pod.spec, old.spec);
}
