import { NODE_LEASE_NAMESPACE } from '../../api/coordination/lease/definition.ts';
import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { CounterSeries, Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import { allSynced } from '../../client/informers.ts';
import {
	NOTHING_REMEMBERED,
	type NodeLifecycleMemory,
	type NodeStep,
	planNodeLifecycle,
} from '../../plan/node-lifecycle/plan-node-lifecycle.ts';
import type { Zone } from '../../plan/node-lifecycle/zones.ts';
import { NodeWriter } from './node-writer.ts';

/** What the node lifecycle controller is made of. */
export interface NodeLifecycleControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly nodes: Informer<Node>;
	readonly leases: Informer<Lease>;
	readonly pods: Informer<Pod>;
	readonly onError: (key: string, error: unknown) => void;
}

/** All nodes are looked at together: what becomes of one depends on how the others do. */
const NODES = 'nodes';

/** How late a look may be. Later, and this machine was asleep or busy: the silence may have been its own. */
const LATEST_MS = 5000;

/**
 * Looks after nodes whose agents fall silent; the rules are in plan/node-lifecycle. Upstream looks every
 * five seconds; here each sign of life wakes it, and the end of the shortest grace.
 */
export class NodeLifecycleController {
	readonly #options: NodeLifecycleControllerOptions;
	readonly #loop: ReconcileLoop;
	readonly #writer: NodeWriter;
	readonly #evictions: (zone: string) => CounterSeries;
	#memory: NodeLifecycleMemory = NOTHING_REMEMBERED;
	#zones: ReadonlyMap<string, Zone> = new Map();
	#lookAgainAt: number | undefined;

	constructor(options: NodeLifecycleControllerOptions) {
		this.#options = options;
		this.#writer = new NodeWriter(options);
		this.#loop = new ReconcileLoop({
			name: 'node_lifecycle_controller',
			clock: options.clock,
			metrics: options.metrics,
			workers: 1,
			restMs: (_key, tookMs) => tookMs / 2,
			backoff: { baseMs: 100, capMs: 5000 },
			reconcile: () => this.#look(),
			onError: options.onError,
		});
		this.#evictions = zoneMetrics(options.metrics, () => this.#zones);
	}

	/** Works until `signal` aborts, or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		const { nodes, leases, pods } = this.#options;
		if (!(await allSynced([nodes, leases, pods]))) return;
		nodes.subscribe((node, old) => this.#seeNode(node, old));
		leases.subscribe((lease) => {
			if (lease?.metadata.namespace === NODE_LEASE_NAMESPACE) this.#loop.add(NODES);
		});
		pods.subscribe((pod, old) => this.#seePod(pod, old));
		await this.#loop.run(signal);
	}

	#seeNode(node: Node | undefined, old: Node | undefined): void {
		this.#loop.add(NODES);
		if (old && old.metadata.uid !== node?.metadata.uid)
			this.#tell(old, 'RemovingNode', 'Removing Node', 'from');
		if (node && old?.metadata.uid !== node.metadata.uid) {
			this.#tell(node, 'RegisteredNode', 'Registered Node', 'in');
		}
	}

	#tell(node: Node, reason: string, verb: string, where: string): void {
		const { name } = node.metadata;
		const message = `Node ${name} event: ${verb} ${name} ${where} Controller`;
		this.#options.recorder.event(node, { type: 'Normal', reason, message });
	}

	/** A Pod that comes to a silent node is not ready there. */
	#seePod(pod: Pod | undefined, old: Pod | undefined): void {
		const { nodeName } = pod?.spec ?? {};
		if (!nodeName || nodeName === old?.spec.nodeName) return;
		const node = this.#options.nodes.get('', nodeName);
		const isReady = node?.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
		if (node && !isReady) this.#loop.add(NODES);
	}

	async #look(): Promise<Outcome> {
		const { clock, nodes, leases } = this.#options;
		const now = clock.now();
		if (this.#lookAgainAt !== undefined && now - this.#lookAgainAt > LATEST_MS) {
			this.#memory = { ...this.#memory, health: NOTHING_REMEMBERED.health };
		}
		this.#lookAgainAt = undefined;
		const plan = planNodeLifecycle({
			now,
			nodes: [...nodes.all()],
			lease: (name) => leases.get(NODE_LEASE_NAMESPACE, name),
			memory: this.#memory,
		});
		this.#memory = plan.memory;
		this.#zones = plan.zones;
		for (const zone of plan.givenUp) this.#evictions(zone).inc();
		await this.#apply(plan.steps);
		this.#lookAgainAt = plan.lookAgainAt;
		return plan.lookAgainAt === undefined ? DONE : again(plan.lookAgainAt - now);
	}

	/** Does what it can for every node, and then rejects with the first error, if there was one. */
	async #apply(steps: readonly NodeStep[]): Promise<void> {
		const { pods, nodes } = this.#options;
		const results = await Promise.allSettled(
			steps.map(async (step) => {
				const { name = '' } = step.node.metadata;
				// Looked up one by one: nodes fall silent seldom, and an index would cost with every Pod.
				const there = step.marksPods ? await pods.select(({ spec }) => spec.nodeName === name) : [];
				const version = await this.#writer.write(step, there);
				await nodes.reached(version);
			}),
		);
		for (const result of results) if (result.status === 'rejected') throw result.reason;
	}
}

/** Upstream's metrics of zones; returns the counter of the nodes that were given up. */
function zoneMetrics(
	metrics: Metrics,
	zones: () => ReadonlyMap<string, Zone>,
): (zone: string) => CounterSeries {
	const gauge = (name: string, help: string, value: (zone: Zone) => number): void => {
		const description = { name: `node_collector_${name}`, help, labelNames: ['zone'] };
		metrics.readGauge(description, (report) => {
			for (const [zone, state] of zones()) report(value(state), zone);
		});
	};
	gauge('zone_size', 'Nodes of a zone.', ({ size }) => size);
	gauge(
		'zone_health',
		'Nodes of a zone that are ready, in percent.',
		({ size, unhealthy }) => (100 * (size - unhealthy)) / size,
	);
	gauge('unhealthy_nodes_in_zone', 'Nodes of a zone that are not ready.', ({ unhealthy }) => unhealthy);
	const evictions = metrics.counter({
		name: 'node_collector_evictions_total',
		help: 'Nodes whose Pods were told to leave.',
		labelNames: ['zone'],
	});
	return (zone) => evictions.with(zone);
}
