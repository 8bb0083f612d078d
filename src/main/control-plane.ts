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
import type { Metrics } from '../base/metrics.ts';
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
	readonly metrics: Metrics;
	/** How many Pods that have ended are kept (12,500 by default); 0: all of them. */
	readonly endedPodsLimit?: number;
	/** Told of each error that a component met and will try again after. */
	readonly onError: (component: string, key: string, error: unknown) => void;
}

/**
 * Runs the controllers and the scheduler against an API server until `signal` aborts. They share one
 * set of informers and know each other only through the API.
 */
export async function runControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<void> {
	const { transport, clock, metrics, onError } = options;
	const informers = new Informers({
		client: new Client(transport, { fieldManager: 'informers' }),
		clock,
		onError: (key, error) => onError('informers', key, error),
	});
	const means: Means = {
		options,
		informers,
		of: (component) => ({
			client: new Client(transport, { fieldManager: component }),
			clock,
			metrics,
			onError: (key, error) => onError(component, key, error),
		}),
	};
	// The Job controller has to be the first to ask for the informers of Jobs and Pods.
	const parts = [
		...batchControllers(means),
		makeScheduler(means),
		...nodeControllers(means),
		...collectors(means),
	];
	metrics.include(() => stateMetrics(informers));
	await Promise.all([informers.run(signal), ...parts.map((part) => part.run(signal))]);
}

/** Nobody may ever ask, so it is loaded when somebody does. */
async function* stateMetrics(informers: Informers): AsyncIterable<string> {
	const { writeStateMetrics } = await import('../state-metrics/state-metrics.ts');
	yield* writeStateMetrics({ jobs: informers.of(jobs), cronJobs: informers.of(cronjobs) });
}

/** Something that works until it is told to stop. */
interface Part {
	run(signal: AbortSignal): Promise<void>;
}

/** What every component is made with. */
interface Common {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly onError: (key: string, error: unknown) => void;
}

/** What components are made from. */
interface Means {
	readonly options: ControlPlaneOptions;
	readonly informers: Informers;
	/** A component's own client, named after it, and its way to tell of errors. */
	of(component: string): Common;
}

function batchControllers({ informers, of }: Means): readonly Part[] {
	const job = of('job-controller');
	const cronJob = of('cronjob-controller');
	return [
		new JobController({ ...job, informers, recorder: recorderOf('job-controller', job) }),
		new CronJobController({ ...cronJob, informers, recorder: recorderOf('cronjob-controller', cronJob) }),
		new TtlAfterFinished({ ...of('ttl-after-finished-controller'), jobs: informers.of(jobs) }),
	];
}

function makeScheduler({ informers, of }: Means): Part {
	const common = of('scheduler');
	return new Scheduler({
		...common,
		informers: { pods: informers.of(pods), nodes: informers.of(nodes), namespaces: informers.of(namespaces) },
		recorder: recorderOf('default-scheduler', common),
	});
}

/** What looks after nodes and the Pods on those that are not well. */
function nodeControllers({ informers, of }: Means): readonly Part[] {
	const lifecycle = of('node-controller');
	const eviction = of('taint-eviction-controller');
	const seen = { nodes: informers.of(nodes), pods: informers.of(pods) };
	return [
		new NodeLifecycleController({
			...lifecycle,
			...seen,
			leases: informers.of(leases),
			recorder: recorderOf('node-controller', lifecycle),
		}),
		new TaintEvictionController({
			...eviction,
			...seen,
			recorder: recorderOf('taint-eviction-controller', eviction),
		}),
	];
}

/** What deletes what nobody needs any more. */
function collectors({ options, informers, of }: Means): readonly Part[] {
	const collected: readonly CollectedResource[] = resources
		.filter((definition) => definition !== events)
		.map((definition) => ({ definition, informer: informers.of(definition) }));
	const garbage = of('garbage-collector');
	return [
		new GarbageCollector({
			...garbage,
			resources: collected,
			recorder: recorderOf('garbage-collector-controller', garbage),
		}),
		new PodGarbageCollector({
			...of('pod-garbage-collector'),
			pods: informers.of(pods),
			nodes: informers.of(nodes),
			...(options.endedPodsLimit !== undefined && { endedPodsLimit: options.endedPodsLimit }),
		}),
		new NamespaceController({
			...of('namespace-controller'),
			namespaces: informers.of(namespaces),
			contents: collected.filter(({ definition }) => definition.namespaced),
			unwatched: [events],
		}),
	];
}

/** Announces for `component`, as its Events name it. */
function recorderOf(component: string, { client, clock, onError }: Common): EventRecorder {
	return new EventRecorder({ client, clock, component, onError: (error) => onError('event', error) });
}
