import type { Deployment } from '../../api/apps/deployment/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { rolloutRevisionOf } from '../../plan/deployment/annotations.ts';
import { CommandError } from '../context.ts';

/** How far a rollout is. */
export interface RolloutState {
	/** The line to print. */
	readonly text: string;
	readonly isDone: boolean;
}

/**
 * How far the rollout of the Deployment is, in the words of `kubectl rollout status` (DeploymentStatusViewer). Throws a
 * CommandError if it lacks progress, or if `revision` is not 0 and another one is rolled out.
 */
export function rolloutState(deployment: Deployment, revision: bigint): RolloutState {
	const { metadata, spec, status } = deployment;
	const name = `"${metadata.name}"`;
	if (revision > 0n) {
		const current = rolloutRevisionOf(deployment);
		if (current !== revision)
			throw new CommandError(
				`desired revision (${revision}) is different from the running revision (${current ?? 0n})`,
			);
	}
	if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0))
		return { text: 'Waiting for deployment spec update to be observed...', isDone: false };
	if (findCondition(status.conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded')
		throw new CommandError(`deployment ${name} exceeded its progress deadline`);
	const { replicas: total = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status;
	const waiting = (what: string): RolloutState => ({
		text: `Waiting for deployment ${name} rollout to finish: ${what}...`,
		isDone: false,
	});
	if (updated < (spec.replicas ?? 0))
		return waiting(`${updated} out of ${spec.replicas} new replicas have been updated`);
	if (total > updated) return waiting(`${total - updated} old replicas are pending termination`);
	if (available < updated) return waiting(`${available} of ${updated} updated replicas are available`);
	return { text: `deployment ${name} successfully rolled out`, isDone: true };
}
