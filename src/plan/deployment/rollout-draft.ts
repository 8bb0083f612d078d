import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { nextRevision, REVISION, withRolloutRevision, withSizes } from './annotations.ts';
import {
	conditionAt,
	type DeploymentConditionText,
	hasProgressDeadline,
	historyLimitOf,
	progressing,
	withDeploymentCondition,
} from './conditions.ts';
import { newSetSize, setSize, totalSize } from './limits.ts';
import type { DeploymentPlan, SetAct, SetUpdate } from './plan.ts';
import { byRevision, findNewSet, isActiveSet, isObserved, newReplicaSet } from './replica-sets.ts';
import type { Rollout } from './rollout-status.ts';

/**
 * The state of a Deployment as the plan changes it. The rules of rolling-update.ts, recreate.ts and scaling.ts read and
 * change it step by step, as upstream's write and read the API; {@link RolloutDraft.writes} is the sum of all steps.
 */
export class RolloutDraft {
	readonly now: number;
	/** The ReplicaSets as stored, by name. */
	readonly #stored = new Map<string, ReplicaSet>();
	/** All ReplicaSets with the changes so far, by name. */
	readonly #sets = new Map<string, ReplicaSet>();
	readonly #newName: string | undefined;
	readonly #removed: SetAct[] = [];
	#deployment: Deployment;
	#created: string | undefined;

	constructor(deployment: Deployment, sets: readonly ReplicaSet[], now: number) {
		this.now = now;
		this.#deployment = deployment;
		for (const set of sets) {
			this.#stored.set(set.metadata.name ?? '', set);
			this.#sets.set(set.metadata.name ?? '', set);
		}
		this.#newName = findNewSet(deployment, sets)?.metadata.name;
	}

	/** The Deployment, with the conditions and the revision that were set so far. */
	get deployment(): Deployment {
		return this.#deployment;
	}

	/** The ReplicaSet of the current template, if there is one. */
	get newSet(): ReplicaSet | undefined {
		return this.#sets.get(this.#created ?? this.#newName ?? '');
	}

	/** The ReplicaSets of older templates. */
	get oldSets(): readonly ReplicaSet[] {
		const { newSet } = this;
		return [...this.#sets.values()].filter((set) => set !== newSet);
	}

	/** All ReplicaSets, that of the current template last. */
	get allSets(): readonly ReplicaSet[] {
		const { newSet, oldSets } = this;
		return newSet ? [...oldSets, newSet] : oldSets;
	}

	/** The part from which the status is computed. */
	get rollout(): Rollout {
		const { deployment, allSets: sets, newSet, now } = this;
		return { deployment, sets, newSet, now };
	}

	/** Sets a condition of the Deployment. */
	setCondition(condition: DeploymentConditionText): void {
		const status = withDeploymentCondition(this.#deployment.status, conditionAt(condition, this.now));
		this.#deployment = { ...this.#deployment, status };
	}

	/**
	 * Gives the ReplicaSet of the current template, if there is one, the annotations of the Deployment and the next revision,
	 * and the Deployment its revision (upstream: getNewReplicaSet).
	 */
	syncRevision(): void {
		const { newSet } = this;
		if (!newSet) return;
		const { minReadySeconds = 0 } = this.#deployment.spec;
		const annotated = withRolloutRevision(newSet, this.#deployment, nextRevision(this.oldSets));
		const isSame = (annotated.spec.minReadySeconds ?? 0) === minReadySeconds;
		this.#put(isSame ? annotated : { ...annotated, spec: { ...annotated.spec, minReadySeconds } });
		this.#setRevision(annotated);
		if (!hasProgressDeadline(this.#deployment)) return;
		if (findCondition(this.#deployment.status.conditions, 'Progressing')) return;
		const message = `Found new replica set "${newSet.metadata.name}"`;
		this.setCondition(progressing('True', 'FoundNewReplicaSet', message));
	}

	/** Creates the ReplicaSet of the current template, if there is none. */
	create(): ReplicaSet {
		const { newSet: existing } = this;
		if (existing) return existing;
		const revision = nextRevision(this.oldSets);
		const empty = withSizes(
			withRolloutRevision(newReplicaSet(this.#deployment), this.#deployment, revision),
			this.#deployment,
		);
		const replicas = newSetSize(this.#deployment, { size: 0, total: totalSize(this.oldSets) });
		const set = { ...empty, spec: { ...empty.spec, replicas } };
		this.#created = set.metadata.name ?? '';
		this.#put(set);
		this.#setRevision(set);
		if (hasProgressDeadline(this.#deployment))
			this.setCondition(
				progressing('True', 'NewReplicaSetCreated', `Created new replica set "${set.metadata.name}"`),
			);
		return set;
	}

	/**
	 * Sets the size of a ReplicaSet, and with it the annotations about sizes. Returns whether the size has changed. If it has
	 * not, the annotations are only set if `always` is true (upstream: scaleReplicaSet).
	 */
	scale(set: ReplicaSet, replicas: number, always = false): boolean {
		const isSame = setSize(set) === replicas;
		if (isSame && !always) return false;
		const sized = withSizes(set, this.#deployment);
		this.#put(isSame ? sized : { ...sized, spec: { ...sized.spec, replicas } });
		return !isSame;
	}

	/**
	 * Deletes old ReplicaSets without Pods beyond the history limit, those of the earliest revisions (upstream:
	 * cleanupDeployment).
	 */
	cleanUp(): void {
		const limit = historyLimitOf(this.#deployment);
		if (limit === undefined) return;
		const alive = this.oldSets.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
		const surplus = Math.max(alive.length - limit, 0);
		for (const set of alive.toSorted(byRevision).slice(0, surplus)) {
			if (isActiveSet(set) || set.status.replicas !== 0 || !isObserved(set)) continue;
			this.#removed.push({ set, because: `${alive.length} old ReplicaSets exist and ${limit} are kept` });
		}
	}

	/** The writes to ReplicaSets that the steps amount to. */
	writes(): Pick<DeploymentPlan, 'create' | 'update' | 'delete'> {
		const create = this.#created === undefined ? undefined : this.#sets.get(this.#created);
		const update: SetUpdate[] = [];
		// Sets that grow come first: if a write fails, rather too many Pods run than too few.
		for (const set of [...this.allSets].reverse()) {
			const { name = '' } = set.metadata;
			const stored = name === this.#created ? undefined : this.#stored.get(name);
			if (stored && stored !== set) update.push({ set, from: setSize(stored) });
		}
		return { ...(create && { create }), update, delete: this.#removed };
	}

	#put(set: ReplicaSet): void {
		this.#sets.set(set.metadata.name ?? '', set);
	}

	#setRevision({ metadata }: ReplicaSet): void {
		const revision = metadata.annotations?.[REVISION];
		const { annotations } = this.#deployment.metadata;
		if (revision === undefined || annotations?.[REVISION] === revision) return;
		this.#deployment = {
			...this.#deployment,
			metadata: { ...this.#deployment.metadata, annotations: { ...annotations, [REVISION]: revision } },
		};
	}
}
