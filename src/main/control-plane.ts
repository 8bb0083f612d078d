import { jobs } from '../api/batch/job/definition.ts';
import { events } from '../api/core/event/definition.ts';
import { namespaces } from '../api/core/namespace/definition.ts';
import { nodes } from '../api/core/node/definition.ts';
import { pods } from '../api/core/pod/definition.ts';
import type { ApiTransport } from '../api/meta/transport.ts';
import { resources } from '../api/resources.ts';
import type { Clock } from '../base/clock.ts';
import { Client } from '../client/client.ts';
import { EventRecorder } from '../client/event-recorder.ts';
import { Informers } from '../client/informers.ts';
import { CronJobController } from '../controllers/cronjob/cronjob-controller.ts';
import { type CollectedResource, GarbageCollector } from '../controllers/garbage-collector.ts';
import { JobController } from '../controllers/job/job-controller.ts';
import { NamespaceController } from '../controllers/namespace-controller.ts';
import { PodGarbageCollector } from '../controllers/pod-garbage-collector.ts';
import { TtlAfterFinished } from '../controllers/ttl-after-finished.ts';
import { Scheduler } from '../scheduler/scheduler.ts';

/** What the control plane needs from outside. */
export interface ControlPlaneOptions {
	/** The way to the API server, in this process or elsewhere. */
	readonly transport: ApiTransport;
	readonly clock: Clock;
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
	const { transport, clock, onError } = options;
	const report = (component: string) => (key: string, error: unknown) => onError(component, key, error);
	const clientOf = (fieldManager: string): Client => new Client(transport, { fieldManager });
	const recorderOf = (component: string): EventRecorder =>
		new EventRecorder({
			client: clientOf(component),
			clock,
			component,
			onError: (error) => onError(component, 'event', error),
		});
	const informers = new Informers({ client: clientOf('informers'), clock, onError: report('informers') });
	const jobController = new JobController({
		client: clientOf('job-controller'),
		informers,
		clock,
		recorder: recorderOf('job-controller'),
		onError: report('job-controller'),
	});
	const cronJobController = new CronJobController({
		client: clientOf('cronjob-controller'),
		informers,
		clock,
		recorder: recorderOf('cronjob-controller'),
		onError: report('cronjob-controller'),
	});
	const scheduler = new Scheduler({
		client: clientOf('scheduler'),
		clock,
		informers: { pods: informers.of(pods), nodes: informers.of(nodes) },
		recorder: recorderOf('default-scheduler'),
		onError: report('scheduler'),
	});
	const collected: readonly CollectedResource[] = resources
		.filter((definition) => definition !== events)
		.map((definition) => ({ definition, informer: informers.of(definition) }));
	const garbageCollector = new GarbageCollector({
		client: clientOf('garbage-collector'),
		clock,
		resources: collected,
		recorder: recorderOf('garbage-collector-controller'),
		onError: report('garbage-collector'),
	});
	const podGarbageCollector = new PodGarbageCollector({
		client: clientOf('pod-garbage-collector'),
		clock,
		pods: informers.of(pods),
		nodes: informers.of(nodes),
		...(options.endedPodsLimit !== undefined && { endedPodsLimit: options.endedPodsLimit }),
		onError: report('pod-garbage-collector'),
	});
	const namespaceController = new NamespaceController({
		client: clientOf('namespace-controller'),
		clock,
		namespaces: informers.of(namespaces),
		contents: collected.filter(({ definition }) => definition.namespaced),
		unwatched: [events],
		onError: report('namespace-controller'),
	});
	const ttlAfterFinished = new TtlAfterFinished({
		client: clientOf('ttl-after-finished-controller'),
		clock,
		jobs: informers.of(jobs),
		onError: report('ttl-after-finished'),
	});
	const parts = [
		jobController,
		cronJobController,
		scheduler,
		garbageCollector,
		podGarbageCollector,
		namespaceController,
		ttlAfterFinished,
	];
	await Promise.all([informers.run(signal), ...parts.map((part) => part.run(signal))]);
}
