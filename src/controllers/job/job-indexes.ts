import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { Indexes } from '../../client/informers.ts';
import { hasEnded, isTracked } from '../../plan/job/classify.ts';
import { CONTROLLER_UID_LABEL } from '../../plan/job/identifiers.ts';

/**
 * How the Job controller finds Pods and Jobs without looking at all of them. What a large Job has done
 * already must cost it nothing, so Pods that are counted drop out of {@link BY_JOB}.
 */

/** Pods by the UID of their Job, except those that have ended and that the Job has let go of. */
export const BY_JOB = 'job-controller/job';

/** Pods without a controller, by `namespace` and by `namespace/UID` of the Job that their label names. */
export const ORPHANS = 'job-controller/orphan';

/** Jobs that were given a selector of their own, by namespace. */
export const SELF_SELECTED = 'job-controller/self-selected';

/** To be given to the informer of Pods. */
export const POD_INDEXES: Indexes<Pod> = {
	[BY_JOB]: (pod) => {
		const owner = controllerOf(pod);
		if (owner?.kind !== 'Job') return [];
		// A Pod that lost the label may have to be released, whatever its state.
		const settled =
			hasEnded(pod) && !isTracked(pod) && pod.metadata.labels?.[CONTROLLER_UID_LABEL] === owner.uid;
		return settled ? [] : [owner.uid];
	},
	[ORPHANS]: (pod) => {
		if (controllerOf(pod)) return [];
		const { namespace = '', labels } = pod.metadata;
		const uid = labels?.[CONTROLLER_UID_LABEL];
		return uid === undefined ? [namespace] : [namespace, `${namespace}/${uid}`];
	},
};

/** To be given to the informer of Jobs. */
export const JOB_INDEXES: Indexes<Job> = {
	[SELF_SELECTED]: ({ metadata, spec }) => (spec.manualSelector ? [metadata.namespace ?? ''] : []),
};
