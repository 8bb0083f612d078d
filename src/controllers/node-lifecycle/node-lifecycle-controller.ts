import { NODE_LEASE_NAMESPACE } from '../../api/coordination/lease/definition.ts';
import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { CounterSeries, Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import {
	NOTHING_REMEMBERED,
	type NodeLifecycleMemory,
	type NodeStep,
	planNodeLifecycle,
} from '../../plan/node-lifecycle/plan-node-lifecycle.ts';
import type { Zone } from '../../plan/node-lifecycle/zones.ts';
import { NodeWriter } from './node-writer.ts';

/** The dependencies of the node lifecycle controller. */
export interface NodeLifecycleControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly nodes: Informer<Node>;
	readonly leases: Informer<Lease>;
	readonly pods: Informer<Pod>;
}

/**
 * The only key: all nodes are planned together, because the eviction rate depends on how many are unhealthy.
 */
const NODES: Keys = ['nodes'];

/**
 * How late a planned reconcile may run. If it runs later, this machine was suspended or overloaded, and missing
 * heartbeats may be its own fault: the grace periods of all nodes then start anew.
 */
const LATEST_MS = 5000;

/**
 * The node lifecycle controller: marks nodes whose agent sends no heartbeats as not ready, taints them, and
 * marks their Pods as not ready. plan/node-lifecycle decides; the taints make the taint eviction controller
 * delete the Pods. Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
 *
 * Upstream checks all nodes every five seconds. Here each heartbeat (a change of a Lease or a Node) and the end
 * of the shortest grace period queue a reconcile.
 */
export class NodeLifecycleController {
	readonly #options: NodeLifecycleControllerOptions;
	readonly #controller: Controller;
	readonly #writer: NodeWriter;
	readonly #evictions: (zone: string) => CounterSeries;
	#memory: NodeLifecycleMemory = NOTHING_REMEMBERED;
	#zones: ReadonlyMap<string, Zone> = new Map();
	#lookAgainAt: number | undefined;

	constructor(options: NodeLifecycleControllerOptions) {
		this.#options = options;
		this.#writer = new NodeWriter(options);
		this.#controller = new Controller(
			{
				name: 'node_lifecycle_controller',
				watches: [
					watch(options.nodes, (node, old) => this.#nodeChanged(node, old)),
					watch(options.leases, (lease) =>
						lease?.metadata.namespace === NODE_LEASE_NAMESPACE ? NODES : NO_KEYS,
					),
					watch(options.pods, (pod, old) => (this.#concernsPod(pod, old) ? NODES : NO_KEYS)),
				],
				workers: 1,
				restMs: (_key, tookMs) => tookMs / 2,
				backoff: { baseMs: 100, capMs: 5000 },
				reconcile: () => this.#reconcile(),
			},
			options,
		);
		this.#evictions = zoneMetrics(options.metrics, () => this.#zones);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	#nodeChanged(node: Node | undefined, old: Node | undefined): Keys {
		if (old && old.metadata.uid !== node?.metadata.uid)
			this.#recordEvent(old, { reason: 'RemovingNode', verb: 'Removing Node', where: 'from' });
		if (node && old?.metadata.uid !== node.metadata.uid) {
			this.#recordEvent(node, { reason: 'RegisteredNode', verb: 'Registered Node', where: 'in' });
		}
		return NODES;
	}

	/** Records upstream's Event about a Node that was added or removed. */
	#recordEvent(node: Node, { reason, verb, where }: Record<'reason' | 'verb' | 'where', string>): void {
		const { name } = node.metadata;
		const message = `Node ${name} event: ${verb} ${name} ${where} Controller`;
		this.#options.recorder.event(node, { type: 'Normal', reason, message });
	}

	/** Whether the Pod was bound to a node that is not ready: it must be marked as not ready too. */
	#concernsPod(pod: Pod | undefined, old: Pod | undefined): boolean {
		const { nodeName } = pod?.spec ?? {};
		if (!nodeName || nodeName === old?.spec.nodeName) return false;
		const node = this.#options.nodes.get('', nodeName);
		return node !== undefined && !isConditionTrue(node.status.conditions, 'Ready');
	}

	/** Plans for all nodes, applies the steps, and returns the time of the next check. */
	async #reconcile(): Promise<Outcome> {
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
		for (const zone of plan.evictedZones) this.#evictions(zone).inc();
		await this.#apply(plan.steps);
		this.#lookAgainAt = plan.lookAgainAt;
		return plan.lookAgainAt === undefined ? DONE : again(plan.lookAgainAt - now);
	}

	/** Applies the steps of all nodes, even if some fail, and then rejects with the first error. */
	async #apply(steps: readonly NodeStep[]): Promise<void> {
		const { pods, nodes } = this.#options;
		const results = await Promise.allSettled(
			steps.map(async (step) => {
				const { name = '' } = step.node.metadata;
				// A scan of all Pods: nodes fail rarely, and an index of Pods by node would cost work for every Pod.
				const podsOnNode = step.marksPods ? await pods.select(({ spec }) => spec.nodeName === name) : [];
				const version = await this.#writer.write(step, podsOnNode);
				await nodes.reached(version);
			}),
		);
		for (const result of results) if (result.status === 'rejected') throw result.reason;
	}
}

/** Registers upstream's metrics of zones; returns the counter of nodes whose Pods are evicted. */
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
	gauge('zone_size', 'Number of nodes in the zone.', ({ size }) => size);
	gauge(
		'zone_health',
		'Percentage of nodes in the zone that are ready.',
		({ size, unhealthy }) => (100 * (size - unhealthy)) / size,
	);
	gauge(
		'unhealthy_nodes_in_zone',
		'Number of nodes in the zone that are not ready.',
		({ unhealthy }) => unhealthy,
	);
	const evictions = metrics.counter({
		name: 'node_collector_evictions_total',
		help: 'Number of nodes whose Pods the controller has started to evict, by adding a NoExecute taint.',
		labelNames: ['zone'],
	});
	return (zone) => evictions.with(zone);
}
