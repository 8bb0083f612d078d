import { deployments } from '../../../api/apps/deployment/definition.ts';
import type { Deployment } from '../../../api/apps/deployment/schema.ts';
import { replicaSets } from '../../../api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../../api/apps/replicaset/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { controllerOf } from '../../../api/meta/controller-reference.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isActivePod } from '../../replicaset/availability.ts';
import { planReplicas } from '../../replicaset/plan-replicas.ts';
import { ownerOfReplicaSet } from '../../replicaset/replica-owner.ts';
import { replicaPod } from '../../replicaset/replica-pod.ts';
import { scalingEvent } from '../plan.ts';
import { planDeployment } from '../plan-deployment.ts';

const LABELS = { app: 'web' };
const START = Date.parse('2026-01-31T08:00:00Z');

/** A Deployment with this spec, as the API server stores a new one. Its Pods have the image `version`. */
export function deploymentOf(spec: object = {}, version = '1'): Deployment {
	const given = {
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		metadata: { name: 'web', namespace: 'n', uid: 'd', creationTimestamp: formatTime(START) },
		spec: { selector: { matchLabels: LABELS }, ...spec, template: templateOf(version) },
		status: {},
	};
	return deployments.defaults(deployments.strategy.prepareForCreate(deployments.defaults(given)));
}

function templateOf(version: string): Deployment['spec']['template'] {
	return { metadata: { labels: LABELS }, spec: { containers: [{ name: 'main', image: version }] } };
}

/**
 * A Deployment with its ReplicaSets and Pods, and the API server's part in their changes. The two controllers act only when a
 * method is called, so that a test decides how late each of them sees the work of the other.
 */
export class RolloutModel {
	deployment: Deployment;
	sets: readonly ReplicaSet[] = [];
	pods: readonly Pod[] = [];
	now = START;
	readonly events: string[] = [];
	#made = 0;

	constructor(deployment: Deployment) {
		this.deployment = deployment;
	}

	/** An update of the Deployment by its author. */
	edit(spec: Partial<Deployment['spec']>): void {
		const next = { ...this.deployment, spec: { ...this.deployment.spec, ...spec } };
		this.deployment = deployments.strategy.prepareForUpdate(deployments.defaults(next), this.deployment);
	}

	/** Another template. */
	setVersion(version: string): void {
		this.edit({ template: templateOf(version) });
	}

	/** A pass of the Deployment controller. */
	rollOut(): void {
		const plan = planDeployment({
			...{ deployment: this.deployment, sets: this.sets, orphans: [], pods: this.pods },
			now: this.now,
		});
		if (plan.create) {
			const set = replicaSets.strategy.prepareForCreate(replicaSets.defaults(plan.create));
			this.sets = [...this.sets, { ...set, metadata: { ...set.metadata, ...this.#identity() } }];
			this.#note(plan.create, 0);
		}
		for (const { set, from } of plan.update) {
			const { name } = set.metadata;
			this.sets = this.sets.map((old) =>
				old.metadata.name === name ? replicaSets.strategy.prepareForUpdate(set, old) : old,
			);
			this.#note(set, from);
		}
		for (const { set } of plan.delete)
			this.sets = this.sets.filter(({ metadata }) => metadata.name !== set.metadata.name);
		if (plan.deployment) this.deployment = plan.deployment;
	}

	/** A pass of the ReplicaSet controller over the set at this position. */
	syncSet(position: number): void {
		const set = this.sets[position % Math.max(this.sets.length, 1)];
		if (!set) return;
		const owner = ownerOfReplicaSet(set);
		const plan = planReplicas({
			owner,
			pods: this.podsOf(set),
			orphans: [],
			related: this.pods,
			now: this.now,
		});
		for (let count = 0; count < plan.create; count++) {
			const pod = replicaPod(owner);
			if (pod) this.pods = [...this.pods, this.#started(pod)];
		}
		const deleted = new Set(plan.delete.map(({ pod }) => pod.metadata.uid));
		this.pods = this.pods.map((pod) =>
			deleted.has(pod.metadata.uid)
				? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: formatTime(this.now) } }
				: pod,
		);
		this.sets = this.sets.map((each) => (each === set ? { ...set, status: plan.status } : each));
	}

	/** One of the Pods that are not ready becomes so. */
	makeReady(position: number): void {
		const waiting = this.pods.filter((pod) => isActivePod(pod) && !isReady(pod));
		const chosen = waiting[position % Math.max(waiting.length, 1)];
		const lastTransitionTime = formatTime(this.now);
		const conditions = [{ type: 'Ready', status: 'True' as const, lastTransitionTime }];
		this.pods = this.pods.map((pod) =>
			pod === chosen ? { ...pod, status: { ...pod.status, conditions } } : pod,
		);
	}

	/** One of the Pods that are being deleted ends. */
	end(position: number): void {
		const ending = this.pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
		const chosen = ending[position % Math.max(ending.length, 1)];
		this.pods = this.pods.filter((pod) => pod !== chosen);
	}

	/** Lets all components act until nothing changes any more, or for the given number of rounds. */
	settle(rounds = 100): void {
		for (let round = 0; round < rounds; round++) {
			const before = JSON.stringify([this.deployment, this.sets, this.pods]);
			this.now += 1000;
			this.rollOut();
			for (const index of this.sets.keys()) this.syncSet(index);
			for (const _ of [...this.pods]) this.makeReady(0);
			for (const _ of [...this.pods]) this.end(0);
			if (JSON.stringify([this.deployment, this.sets, this.pods]) === before) return;
		}
	}

	/** The Pods of a set, whatever their state. */
	podsOf(set: ReplicaSet): readonly Pod[] {
		return this.pods.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid);
	}

	/** Number of Pods that are ready and not being deleted. */
	get available(): number {
		return this.pods.filter((pod) => isActivePod(pod) && isReady(pod)).length;
	}

	/** The sum of the sizes of the sets. */
	get size(): number {
		return this.sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
	}

	#started(pod: Pod): Pod {
		const metadata = { ...pod.metadata, ...this.#identity(), name: `p${this.#made}` };
		return { ...pod, metadata, spec: { ...pod.spec, nodeName: 'node' }, status: { phase: 'Running' } };
	}

	#identity(): { readonly uid: string; readonly creationTimestamp: string } {
		this.#made += 1;
		return { uid: `u${this.#made}`, creationTimestamp: formatTime(this.now) };
	}

	#note(set: ReplicaSet, from: number): void {
		const event = scalingEvent({ set, from });
		if (event) this.events.push(event.message);
	}
}

function isReady({ status }: Pod): boolean {
	return isConditionTrue(status.conditions, 'Ready');
}
