import type { KubeObject } from '../../api/meta/object-meta.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { messageOf } from '../../base/message-of.ts';
import { type ReplicaPlan, withFailure } from '../../plan/replicaset/plan-replicas.ts';
import type { ReplicaOwner } from '../../plan/replicaset/replica-owner.ts';
import { replicaPod } from '../../plan/replicaset/replica-pod.ts';
import type { ReplicaWriter } from './replica-writer.ts';

/** A plan, and what it is applied with. */
export interface ReplicaPass<T extends KubeObject> {
	readonly owner: ReplicaOwner;
	readonly plan: ReplicaPlan;
	readonly writer: ReplicaWriter<T>;
	/** The present time, for a failure. */
	now(): number;
}

/**
 * Applies a plan in the order that plan/replicaset/plan-replicas.ts prescribes. Rejects with the first failure to create
 * or delete Pods, after the status that reports it was written.
 */
export async function applyReplicaPlan<T extends KubeObject>(pass: ReplicaPass<T>): Promise<void> {
	const { owner, plan, writer } = pass;
	const claims = [
		...plan.adopt.map(({ pod }) => writer.adopt(pod)),
		...plan.release.map(({ pod }) => writer.release(pod)),
	];
	const failed = firstFailure(await Promise.allSettled(claims));
	if (failed) throw failed.reason;
	const failure = (await createSlowly(pass)) ?? (await deleteAll(pass));
	const status = failure
		? withFailure(plan, owner, { message: messageOf(failure.reason), now: pass.now() })
		: plan.status;
	if (!semanticEqual(status, owner.status)) await writer.updateStatus(status);
	if (failure) throw failure.reason;
}

/** The reason why a write failed. An object, since any value can be thrown. */
interface Failure {
	readonly reason: unknown;
}

/**
 * Creates Pods in batches of 1, 2, 4, ... and stops after the first batch with a failure (upstream: slowStartBatch). If the
 * API server rejects one Pod, it most likely rejects the others too: this saves it those requests.
 */
async function createSlowly<T extends KubeObject>({
	owner,
	plan,
	writer,
}: ReplicaPass<T>): Promise<Failure | undefined> {
	const pod = replicaPod(owner);
	if (plan.create > 0 && Object.keys(pod?.metadata.labels ?? {}).length === 0)
		return { reason: new Error('unable to create pods, no labels') };
	let left = pod ? plan.create : 0;
	for (let size = 1; left > 0 && pod; size *= 2) {
		const batch = Array.from({ length: Math.min(size, left) }, () => writer.create(pod));
		const failure = firstFailure(await Promise.allSettled(batch));
		if (failure) return failure;
		left -= batch.length;
	}
	return undefined;
}

async function deleteAll<T extends KubeObject>({
	plan,
	writer,
}: ReplicaPass<T>): Promise<Failure | undefined> {
	return firstFailure(await Promise.allSettled(plan.delete.map(({ pod }) => writer.delete(pod))));
}

function firstFailure(outcomes: readonly PromiseSettledResult<void>[]): Failure | undefined {
	return outcomes.find((outcome) => outcome.status === 'rejected');
}
