/**
 * The Deployment controller (upstream: pkg/controller/deployment): maps changes of Deployments, ReplicaSets and Pods to
 * keys of Deployments, gathers the snapshot, and applies the plan of plan/deployment. It only writes ReplicaSets; their
 * controller makes the Pods.
 *
 * A pass ends only when the informers show everything that it wrote: no pass decides from a cache older than the writes of
 * its predecessor.
 */

import { deployments as deploymentResource } from '../../api/apps/deployment/definition.ts';
import type { Deployment } from '../../api/apps/deployment/schema.ts';
import { replicaSets as replicaSetResource } from '../../api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import {
	Controller,
	type ControllerContext,
	type Keys,
	NO_KEYS,
	ownKey,
	watch,
} from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { BY_OWNER, type Informers } from '../../client/informers.ts';
import type { Indexes } from '../../client/object-indexes.ts';
import type { DeploymentPlan } from '../../plan/deployment/plan.ts';
import { planDeployment } from '../../plan/deployment/plan-deployment.ts';
import { DeploymentWriter } from './deployment-writer.ts';

/** The dependencies of the Deployment controller. */
export interface DeploymentControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly informers: Pick<Informers, 'of'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/** ReplicaSets without a controller, by namespace. */
const UNCONTROLLED = 'deployment-controller/uncontrolled';

/** Deployments by namespace. */
const BY_NAMESPACE = 'deployment-controller/namespace';

const SET_INDEXES: Indexes<ReplicaSet> = {
	[UNCONTROLLED]: (set) => (controllerOf(set) ? [] : [set.metadata.namespace ?? '']),
};

const DEPLOYMENT_INDEXES: Indexes<Deployment> = {
	[BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''],
};

/** Reconciles the Deployments of all namespaces; see the header of this file. */
export class DeploymentController {
	readonly #options: DeploymentControllerOptions;
	readonly #deployments: Informer<Deployment>;
	readonly #sets: Informer<ReplicaSet>;
	readonly #pods: Informer<Pod>;
	readonly #controller: Controller;

	constructor(options: DeploymentControllerOptions) {
		const { informers } = options;
		this.#options = options;
		this.#deployments = informers.of(deploymentResource, DEPLOYMENT_INDEXES);
		this.#sets = informers.of(replicaSetResource, SET_INDEXES);
		this.#pods = informers.of(podResource);
		this.#controller = new Controller(
			{
				name: 'deployment',
				watches: [
					watch(this.#deployments, ownKey),
					watch(this.#sets, (set, old) => this.#keysAfterSet(set, old)),
					watch(this.#pods, (pod, old) => this.#keysAfterPod(pod, old)),
				],
				// A pass spends most of its time waiting for writes, in which it must not block other Deployments.
				workers: 64,
				backoff: { baseMs: 5, capMs: 60_000 },
				subjects: subjectsIn(this.#deployments),
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers, which their owner runs, are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const deployment = this.#deployments.get(namespace, name);
		if (!deployment) return DONE;
		const sets = this.#controlledBy(this.#sets, deployment);
		const plan = planDeployment({
			deployment,
			sets,
			orphans: this.#sets.indexed(UNCONTROLLED, namespace),
			pods: sets.flatMap((set) => this.#controlledBy(this.#pods, set)),
			now: this.#options.clock.now(),
		});
		const writer = new DeploymentWriter(deployment, this.#options);
		try {
			await apply(plan, writer);
		} catch (error) {
			if (isApiError(error, 'NotFound') && !this.#isSame(deployment)) return DONE;
			throw error;
		} finally {
			await this.#waitForInformers(writer);
		}
		return plan.recheckAfterMs === undefined ? DONE : again(plan.recheckAfterMs);
	}

	#controlledBy<T extends KubeObject>(
		informer: Informer<T>,
		{ metadata: { uid = '' } }: KubeObject,
	): readonly T[] {
		return informer.indexed(BY_OWNER, uid).filter((object) => controllerOf(object)?.uid === uid);
	}

	/** Resolves when the informers show all writes and none of the deleted ReplicaSets, or when they are stopped. */
	async #waitForInformers({ deploymentVersion, setVersion, gone }: DeploymentWriter): Promise<void> {
		const left = gone.map((set) => this.#sets.left(set));
		await Promise.all([
			this.#deployments.reached(deploymentVersion),
			this.#sets.reached(setVersion),
			...left,
		]);
	}

	#keysAfterSet(set: ReplicaSet | undefined, old: ReplicaSet | undefined): Keys {
		const owners = [old, set].flatMap((each) => (each ? [this.#ownerOf(each)] : []));
		const adopters = set && !controllerOf(set) ? this.#adoptersOf(set) : [];
		return [...new Set([...owners, ...adopters].flatMap((owner) => (owner ? [keyOfObject(owner)] : [])))];
	}

	/** A Deployment that recreates its Pods waits for the end of the old ones; the others see only ReplicaSets. */
	#keysAfterPod(pod: Pod | undefined, old: Pod | undefined): Keys {
		if (!old || (pod && hasEnded(pod) === hasEnded(old))) return NO_KEYS;
		const reference = controllerOf(old);
		if (reference?.kind !== 'ReplicaSet') return NO_KEYS;
		const set = this.#sets.get(old.metadata.namespace ?? '', reference.name);
		const owner = set?.metadata.uid === reference.uid ? this.#ownerOf(set) : undefined;
		return owner?.spec.strategy?.type === 'Recreate' ? [keyOfObject(owner)] : NO_KEYS;
	}

	/** The Deployment that controls the ReplicaSet, if it exists. */
	#ownerOf(set: ReplicaSet): Deployment | undefined {
		const reference: OwnerReference | undefined = controllerOf(set);
		if (reference?.kind !== 'Deployment') return undefined;
		const deployment = this.#deployments.get(set.metadata.namespace ?? '', reference.name);
		return deployment?.metadata.uid === reference.uid ? deployment : undefined;
	}

	/** The Deployments whose selector matches a ReplicaSet without a controller: one of them may adopt it. */
	#adoptersOf({ metadata: { namespace = '', labels } }: ReplicaSet): readonly Deployment[] {
		return this.#deployments
			.indexed(BY_NAMESPACE, namespace)
			.filter(({ spec }) => matches(selectorOf(spec.selector), labels));
	}

	#isSame({ metadata }: KubeObject): boolean {
		const found = this.#deployments.get(metadata.namespace ?? '', metadata.name ?? '');
		return found?.metadata.uid === metadata.uid;
	}
}

/** Applies a plan in the order that plan/deployment/plan.ts prescribes. */
async function apply(plan: DeploymentPlan, writer: DeploymentWriter): Promise<void> {
	for (const { set } of plan.adopt) await writer.adopt(set);
	for (const { set } of plan.release) await writer.release(set);
	if (plan.create && !(await writer.create(plan.create))) return;
	for (const change of plan.update) await writer.update(change);
	for (const { set } of plan.delete) await writer.delete(set);
	if (plan.deployment) await writer.updateStatus(plan.deployment);
}
