import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import type { ApiTransport } from '../../api/contract/transport.ts';
import { CONTROLLER_MANAGER, SCHEDULER, type User } from '../../api/contract/user.ts';
import { leases } from '../../api/coordination/lease/definition.ts';
import { configMaps } from '../../api/core/configmap/definition.ts';
import { events } from '../../api/core/event/definition.ts';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { nodes } from '../../api/core/node/definition.ts';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { secrets } from '../../api/core/secret/definition.ts';
import { serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import { podDisruptionBudgets } from '../../api/policy/poddisruptionbudget/definition.ts';
import { resources } from '../../api/resources.ts';
import { storageClasses } from '../../api/storage/storageclass/definition.ts';
import { aborted } from '../../base/aborted.ts';
import type { Clock } from '../../base/clock.ts';
import type { Work } from '../../base/lifecycle.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Random } from '../../base/random.ts';
import { Client } from '../../client/client.ts';
import type { ControllerContext } from '../../client/controller.ts';
import { EventRecorder } from '../../client/event-recorder.ts';
import { Informers } from '../../client/informers.ts';
import { boundTransport } from '../../client/transport/bound-transport.ts';
import { transportAs } from '../../client/transport/user-transport.ts';
import { CronJobController } from '../../controllers/cronjob/cronjob-controller.ts';
import { DeploymentController } from '../../controllers/deployment/deployment-controller.ts';
import { DisruptionController } from '../../controllers/disruption/disruption-controller.ts';
import {
	type CollectedResource,
	GarbageCollector,
} from '../../controllers/garbage-collector/garbage-collector.ts';
import { JobController } from '../../controllers/job/job-controller.ts';
import {
	LocalProvisioner,
	type LocalProvisionerOptions,
} from '../../controllers/local-provisioner/local-provisioner.ts';
import { NamespaceController } from '../../controllers/namespace/namespace-controller.ts';
import { NodeLifecycleController } from '../../controllers/node-lifecycle/node-lifecycle-controller.ts';
import { EphemeralVolumeController } from '../../controllers/persistent-volume/ephemeral-volume-controller.ts';
import { ExpandController } from '../../controllers/persistent-volume/expand-controller.ts';
import { ClaimProtection, VolumeProtection } from '../../controllers/persistent-volume/storage-protection.ts';
import { VolumeBinder } from '../../controllers/persistent-volume/volume-binder.ts';
import { PodGarbageCollector } from '../../controllers/pod-gc/pod-garbage-collector.ts';
import { REPLICA_SETS, REPLICATION_CONTROLLERS } from '../../controllers/replicaset/replica-kinds.ts';
import { ReplicaSetController } from '../../controllers/replicaset/replica-set-controller.ts';
import { RootCertificatePublisher } from '../../controllers/root-certificate/root-certificate-publisher.ts';
import { ServiceAccountsController } from '../../controllers/service-account/service-accounts-controller.ts';
import { TokensController } from '../../controllers/service-account/tokens-controller.ts';
import { TaintEvictionController } from '../../controllers/taint-eviction/taint-eviction-controller.ts';
import { TtlAfterFinished } from '../../controllers/ttl/ttl-after-finished.ts';
import type { LegacyClaims } from '../../plan/service-account/legacy-token.ts';
import type { AddressRange } from '../../plan/services/allocation/ranges.ts';
import { LOCAL_PROVISIONER } from '../../plan/storage/local-volume.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import {
	type ApiServerAddress,
	addressControllers,
	apiServerController,
	serviceControllers,
} from './services/service-controllers.ts';

/** Options of the control plane. */
export interface ControlPlaneOptions {
	/** The transport to the API server, which runs in this process or elsewhere. */
	readonly transport: ApiTransport;
	readonly clock: Clock;
	readonly random: Random;
	readonly metrics: Metrics;
	/** Number of finished Pods that the Pod garbage collector keeps; 0: all. Default 12,500. */
	readonly endedPodsLimit?: number;
	/**
	 * The certificate of the API server's authority, in PEM, to publish in every namespace. Undefined if the API
	 * server has no listener that Pods could connect to.
	 */
	readonly rootCertificatePem?: string;
	/** What the Service `kubernetes` has and leads to. Undefined if the API server has no listener. */
	readonly apiServer?: ApiServerAddress;
	/** The addresses of Services. Default: DEFAULT_SERVICE_RANGE. */
	readonly serviceRange?: AddressRange;
	/** Signs the tokens of Secrets for ServiceAccounts. Undefined: those Secrets stay empty. */
	readonly signToken?: (claims: LegacyClaims) => Promise<string>;
	/**
	 * Resolves once the server is ready. Until then the controllers that no Pod waits for do nothing, so that a
	 * start does not wait for their writes. By default they run at once.
	 */
	readonly ready?: Promise<void>;
	/** Where local volumes are created, and the node that this is. Default: nowhere. */
	readonly localVolumes?: Pick<LocalProvisionerOptions, 'nodeName' | 'folders'>;
	/** A component calls it with each error before it retries; `key` is the object that it worked on. */
	readonly onError: (component: string, key: string, error: unknown) => void;
}

/**
 * The parts of the control plane, for {@link Lifecycle.run}: the controllers and the scheduler, by their
 * names as API clients (field managers), and the informers that they share. They interact only through API
 * objects.
 */
export function controlPlane(options: ControlPlaneOptions): Readonly<Record<string, Work>> {
	const { transport, clock, random, metrics, onError } = options;
	const informers = new Informers({
		client: new Client(transportAs(transport, CONTROLLER_MANAGER), { fieldManager: 'informers' }),
		clock,
		random,
		onError: (key, error) => onError('informers', key, error),
	});
	const calls = new AbortController();
	const bound = boundTransport(transport, calls.signal);
	const context: ControlPlaneContext = {
		options,
		informers,
		of: (component, user = CONTROLLER_MANAGER) => ({
			client: new Client(transportAs(bound, user), { fieldManager: component }),
			clock,
			metrics,
			onError: (key, error) => onError(component, key, error),
		}),
	};
	const components = {
		...batchControllers(context),
		...workloadControllers(context),
		scheduler: makeScheduler(context),
		...nodeControllers(context),
		...storageControllers(context),
		...serviceControllers({ ...context, recorderOf }),
		...collectors(context),
	};
	metrics.include(() => stateMetrics(informers));
	const works: Record<string, Work> = {
		informers: (signal) => {
			// Calls of all components are aborted here, once: Lifecycle passes the same signal to all of them.
			signal.addEventListener('abort', () => calls.abort(), { once: true });
			return informers.run(signal);
		},
	};
	for (const [name, component] of Object.entries(components)) works[name] = (signal) => component.run(signal);
	for (const [name, component] of Object.entries(namespaceObjects(context)))
		works[name] = (signal) => runWhenReady(options.ready, component, signal);
	return works;
}

/** The metrics about Jobs and CronJobs. Loaded at the first scrape, since most servers are never scraped. */
async function* stateMetrics(informers: Informers): AsyncIterable<string> {
	const { writeStateMetrics } = await import('../../state-metrics/state-metrics.ts');
	yield* writeStateMetrics({ jobs: informers.of(jobs), cronJobs: informers.of(cronjobs) });
}

/** A controller or the scheduler; runs until the signal aborts. */
interface Component {
	run(signal: AbortSignal): Promise<void>;
}

/** Runs the component once `ready` resolves; not at all if the signal aborts before. */
async function runWhenReady(
	ready: Promise<void> | undefined,
	component: Component,
	signal: AbortSignal,
): Promise<void> {
	if (ready) {
		await new Promise<void>((resolve) => {
			void aborted(signal).then(resolve);
			void ready.then(resolve);
		});
	}
	if (!signal.aborted) await component.run(signal);
}

/** The options that all components have in common. */
interface ComponentContext extends ControllerContext {
	readonly client: Client;
}

/** What the functions below construct components from. */
interface ControlPlaneContext {
	readonly options: ControlPlaneOptions;
	readonly informers: Informers;
	/**
	 * The common options of a component: its client, named after it, and its error handler. The user of the
	 * client is by default that of all controllers.
	 */
	of(component: string, user?: User): ComponentContext;
}

/** The controllers of the group batch. */
function batchControllers({ informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const job = of('job-controller');
	const cronJob = of('cronjob-controller');
	const ttl = of('ttl-after-finished-controller');
	return {
		'job-controller': new JobController({ ...job, informers, recorder: recorderOf('job-controller', job) }),
		'cronjob-controller': new CronJobController({
			...cronJob,
			informers,
			recorder: recorderOf('cronjob-controller', cronJob),
		}),
		'ttl-after-finished-controller': new TtlAfterFinished({ ...ttl, jobs: informers.of(jobs) }),
	};
}

/** The controllers of the workloads whose Pods run without end. */
function workloadControllers({ informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const deployment = of('deployment-controller');
	const replicaSet = of('replicaset-controller');
	const replication = of('replicationcontroller-controller');
	return {
		'deployment-controller': new DeploymentController({
			...deployment,
			informers,
			recorder: recorderOf('deployment-controller', deployment),
		}),
		'replicaset-controller': new ReplicaSetController({
			...replicaSet,
			informers,
			name: 'replicaset',
			kind: REPLICA_SETS,
			recorder: recorderOf('replicaset-controller', replicaSet),
		}),
		'replicationcontroller-controller': new ReplicaSetController({
			...replication,
			informers,
			name: 'replicationmanager',
			kind: REPLICATION_CONTROLLERS,
			recorder: recorderOf('replication-controller', replication),
		}),
	};
}

function makeScheduler({ informers, of }: ControlPlaneContext): Component {
	const common = of('scheduler', SCHEDULER);
	return new Scheduler({
		...common,
		informers: {
			pods: informers.of(pods),
			nodes: informers.of(nodes),
			namespaces: informers.of(namespaces),
			claims: informers.of(persistentVolumeClaims),
			volumes: informers.of(persistentVolumes),
			classes: informers.of(storageClasses),
			budgets: informers.of(podDisruptionBudgets),
		},
		recorder: recorderOf('default-scheduler', common),
	});
}

/** The controllers that monitor Nodes and evict Pods from failed or tainted ones, and that limit evictions. */
function nodeControllers({ informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const lifecycle = of('node-controller');
	const eviction = of('taint-eviction-controller');
	const disruption = of('disruption-controller');
	const seen = { nodes: informers.of(nodes), pods: informers.of(pods) };
	return {
		'disruption-controller': new DisruptionController({
			...disruption,
			pods: seen.pods,
			budgets: informers.of(podDisruptionBudgets),
			owners: resources
				.filter(({ scale }) => scale !== undefined)
				.map((definition) => ({ definition, informer: informers.of(definition) })),
			recorder: recorderOf('controllermanager', disruption),
		}),
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

/** The controllers of PersistentVolumes and their claims. */
function storageControllers({
	options,
	informers,
	of,
}: ControlPlaneContext): Readonly<Record<string, Component>> {
	const binder = of('persistentvolume-binder-controller');
	const ephemeral = of('ephemeral-volume-controller');
	const provisioner = of('local-provisioner');
	const expander = of('persistentvolume-expander');
	const claims = informers.of(persistentVolumeClaims);
	const volumes = informers.of(persistentVolumes);
	const classes = informers.of(storageClasses);
	const seen = { claims, pods: informers.of(pods) };
	const { localVolumes } = options;
	return {
		'persistentvolume-binder-controller': new VolumeBinder({
			...binder,
			...seen,
			volumes,
			classes,
			recorder: recorderOf('persistentvolume-controller', binder),
		}),
		'persistentvolume-expander': new ExpandController({
			...expander,
			claims,
			recorder: recorderOf('volume_expand', expander),
		}),
		'persistentvolumeclaim-protection-controller': new ClaimProtection({
			...of('persistentvolumeclaim-protection-controller'),
			...seen,
		}),
		'persistentvolume-protection-controller': new VolumeProtection({
			...of('persistentvolume-protection-controller'),
			volumes,
		}),
		'ephemeral-volume-controller': new EphemeralVolumeController({
			...ephemeral,
			...seen,
			recorder: recorderOf('ephemeral_volume', ephemeral),
		}),
		...(localVolumes && {
			'local-provisioner': new LocalProvisioner({
				...provisioner,
				claims,
				volumes,
				classes,
				...localVolumes,
				recorder: recorderOf(LOCAL_PROVISIONER, provisioner),
			}),
		}),
	};
}

/**
 * The controllers that delete objects whose owners, Node or namespace are deleted, and finished Pods above
 * the limit.
 */
function collectors({ options, informers, of }: ControlPlaneContext): Readonly<Record<string, Component>> {
	const collected: readonly CollectedResource[] = resources
		// Events have no dependents and are many: an informer of them would hold all of them in memory.
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

/** The controllers of the objects that every namespace has, of the Service of the API server, and of addresses. */
function namespaceObjects(context: ControlPlaneContext): Readonly<Record<string, Component>> {
	const { options, informers, of } = context;
	const { rootCertificatePem: certificatePem, signToken, apiServer } = options;
	return {
		...apiServerController({ informers, of }, apiServer),
		...addressControllers({ ...context, recorderOf }, options),
		...(signToken && {
			'serviceaccount-token-controller': new TokensController({
				...of('serviceaccount-token-controller'),
				...(certificatePem !== undefined && { certificatePem }),
				secrets: informers.of(secrets),
				accounts: informers.of(serviceAccounts),
				sign: signToken,
			}),
		}),
		'serviceaccount-controller': new ServiceAccountsController({
			...of('serviceaccount-controller'),
			namespaces: informers.of(namespaces),
			accounts: informers.of(serviceAccounts),
		}),
		...(certificatePem !== undefined && {
			'root-ca-certificate-publisher-controller': new RootCertificatePublisher({
				...of('root-ca-certificate-publisher-controller'),
				certificatePem,
				namespaces: informers.of(namespaces),
				configMaps: informers.of(configMaps),
			}),
		}),
	};
}

/** An event recorder that sets `component` as the source of its Events. */
function recorderOf(component: string, { client, clock, onError }: ComponentContext): EventRecorder {
	return new EventRecorder({ client, clock, component, onError: (error) => onError('event', error) });
}
