import { cronjobs } from '../api/batch/cronjob/definition.ts';
import { jobs } from '../api/batch/job/definition.ts';
import { leases } from '../api/coordination/lease/definition.ts';
import { events } from '../api/core/event/definition.ts';
import { namespaces } from '../api/core/namespace/definition.ts';
import { nodes } from '../api/core/node/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import type { ApiTransport } from '../api/meta/transport.ts';
import { resources } from '../api/resources.ts';
import type { Clock } from '../base/clock.ts';
import type { Work } from '../base/lifecycle.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Random } from '../base/random.ts';
import { boundTransport } from '../client/bound-transport.ts';
import { Client } from '../client/client.ts';
import { EventRecorder } from '../client/event-recorder.ts';
import { Informers } from '../client/informers.ts';
import { CronJobController } from '../controllers/cronjob/cronjob-controller.ts';
import { type CollectedResource, GarbageCollector } from '../controllers/garbage-collector.ts';
import { JobController } from '../controllers/job/job-controller.ts';
import { NamespaceController } from '../controllers/namespace-controller.ts';
import { NodeLifecycleController } from '../controllers/node-lifecycle/node-lifecycle-controller.ts';
import { PodGarbageCollector } from '../controllers/pod-garbage-collector.ts';
import { TaintEvictionController } from '../controllers/taint-eviction-controller.ts';
import { TtlAfterFinished } from '../controllers/ttl-after-finished.ts';
import { Scheduler } from '../scheduler/scheduler.ts';

/** What the control plane needs from outside. */
export interface ControlPlaneOptions {
	/** The way to the API server, in this process or elsewhere. */
	readonly transport: ApiTransport;
	readonly clock: Clock;
	readonly random: Random;
	readonly metrics: Metrics;
	/** How many Pods that have ended are kept (12,500 by default); 0: all of them. */
	readonly endedPodsLimit?: number;
	/** Told of each error that a component met and will try again after. */
	readonly onError: (component: string, key: string, error: unknown) => void;
}

/**
 * The works of the control plane, for {@link Lifecycle.run}: the controllers and the scheduler by the names
 * they have as API clients, and the informers that they share. They know each other only through the API.
 */
export function controlPlane(options: ControlPlaneOptions): Readonly<Record<string, Work>> {
	const { transport, clock, random, metrics, onError } = options;
	const informers = new Informers({
		client: new Client(transport, { fieldManager: 'informers' }),
		clock,
		random,
		onError: (key, error) => onError('informers', key, error),
	});
	const calls = new AbortController();
	const bound = boundTransport(transport, calls.signal);
	const context: ControlPlaneContext = {
		options,
		informers,
		of: (component) => ({
			client: new Client(bound, { fieldManager: component }),
			clock,
			metrics,
			onError: (key, error) => onError(component, key, error),
		}),
	};
	const components = {
		// The Job controller asks for the informers of Jobs and Pods with indexes of its own, so it is first.
		...batchControllers(context),
		scheduler: makeScheduler(context),
		...nodeControllers(context),
		...collectors(context),
	};
	metrics.include(() => stateMetrics(informers));
	const works: Record<string, Work> = {
		informers: (signal) => {
			// All works have the same signal.
			signal.addEventListener('abort', () => calls.abort(), { once: true });
			return informers.run(signal);
		},
	};
	for (const [name, component] of Object.entries(components)) works[name] = (signal) => component.run(signal);
	return works;
}

/** The metrics about Jobs and CronJobs; most servers are never asked for them, so they are loaded on demand. */
async function* stateMetrics(informers: Informers): AsyncIterable<string> {
	const { writeStateMetrics } = await import('../state-metrics/state-metrics.ts');
	yield* writeStateMetrics({ jobs: informers.of(jobs), cronJobs: informers.of(cronjobs) });
}

/** A controller or the scheduler: works until it is told to stop. */
interface Component {
	run(signal: AbortSignal): Promise<void>;
}

/** What every component is made with. */
interface ComponentContext {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly onError: (key: string, error: unknown) => void;
}

/** What components are made from. */
interface ControlPlaneContext {
	readonly options: ControlPlaneOptions;
	readonly informers: Informers;
	/** A component's own client, named after it, and its way to report errors. */
	of(component: string): ComponentContext;
}

function batchControllers({ informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const job = of('job-controller');
	const cronJob = of('cronjob-controller');
	const ttl = of('ttl-after-finished-controller');
	return {
		'job-controller': new JobController({ ...job, informers, recorder: recorderOf('job-controller', job) }),
		'cronjob-controller': new CronJobController({
			...{ ...cronJob, informers, recorder: recorderOf('cronjob-controller', cronJob) },
		}),
		'ttl-after-finished-controller': new TtlAfterFinished({ ...ttl, jobs: informers.of(jobs) }),
	};
}

function makeScheduler({ informers, of }: ControlPlaneContext): Component {
	const common = of('scheduler');
	return new Scheduler({
		...common,
		informers: { pods: informers.of(pods), nodes: informers.of(nodes), namespaces: informers.of(namespaces) },
		recorder: recorderOf('default-scheduler', common),
	});
}

/** The controllers of Nodes, and of Pods on Nodes that have failed or are tainted. */
function nodeControllers({ informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const lifecycle = of('node-controller');
	const eviction = of('taint-eviction-controller');
	const seen = { nodes: informers.of(nodes), pods: informers.of(pods) };
	return {
		'node-controller': new NodeLifecycleController({
			...lifecycle,
			...seen,
			leases: informers.of(leases),
			recorder: recorderOf('node-controller', lifecycle),
		}),
		'taint-eviction-controller': new TaintEvictionController({
			...eviction,
			...seen,
			recorder: recorderOf('taint-eviction-controller', eviction),
		}),
	};
}

/** The controllers that delete objects: whose owner is gone, whose Node is gone, whose namespace is deleted. */
function collectors({ options, informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const collected: readonly CollectedResource[] = resources
		.filter((definition) => definition !== events)
		.map((definition) => ({ definition, informer: informers.of(definition) }));
	const garbage = of('garbage-collector');
	return {
		'garbage-collector': new GarbageCollector({
			...garbage,
			resources: collected,
			recorder: recorderOf('garbage-collector-controller', garbage),
		}),
		'pod-garbage-collector': new PodGarbageCollector({
			...of('pod-garbage-collector'),
			pods: informers.of(pods),
			nodes: informers.of(nodes),
			...(options.endedPodsLimit !== undefined && { endedPodsLimit: options.endedPodsLimit }),
		}),
		'namespace-controller': new NamespaceController({
			...of('namespace-controller'),
			namespaces: informers.of(namespaces),
			contents: collected.filter(({ definition }) => definition.namespaced),
			unwatched: [events],
		}),
	};
}

/** Records Events in the name of `component`. */
function recorderOf(component: string, { client, clock, onError }: ComponentContext): EventRecorder {
	return new EventRecorder({ client, clock, component, onError: (error) => onError('event', error) });
}
