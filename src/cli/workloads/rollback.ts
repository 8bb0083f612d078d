import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { withoutField } from '../../api/schema/defaults.ts';
import { NOT_COPIED, rolloutRevisionOf } from '../../plan/deployment/annotations.ts';
import { TEMPLATE_HASH } from '../../plan/deployment/template-hash.ts';
import { CommandError } from '../context.ts';

/**
 * The ReplicaSet of a revision, or with 0 that of the revision before the latest (upstream: deploymentRevision in
 * polymorphichelpers). Throws a CommandError if there is none.
 */
export function setOfRevision(
	deployment: Deployment,
	sets: readonly ReplicaSet[],
	revision: bigint,
): ReplicaSet {
	const byRevision = sets
		.flatMap((set) => {
			const own = rolloutRevisionOf(set);
			return own === undefined ? [] : [{ set, own }];
		})
		.sort((a, b) => (b.own < a.own ? -1 : 1));
	const found = revision === 0n ? byRevision[1] : byRevision.find(({ own }) => own === revision);
	if (found) return found.set;
	throw new CommandError(
		revision === 0n
			? `no rollout history found for deployment "${deployment.metadata.name}"`
			: `unable to find specified revision ${revision} in history`,
	);
}

/** The JSON patch that gives the Deployment the template and the annotations of the ReplicaSet. */
export function rollbackPatch(deployment: Deployment, set: ReplicaSet): readonly object[] {
	const { metadata = {}, spec } = set.spec.template;
	const labels = withoutField({ ...metadata.labels }, TEMPLATE_HASH);
	const template = { metadata: { ...metadata, labels }, spec };
	const own = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => NOT_COPIED.has(key));
	const restored = Object.entries(set.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key));
	return [
		{ op: 'replace', path: '/spec/template', value: template },
		{ op: 'replace', path: '/metadata/annotations', value: Object.fromEntries([...own, ...restored]) },
	];
}
