/**
 * Informer indexes with which the Job controller finds Pods and Jobs without scanning all of them. The cost of
 * a reconcile must not grow with the number of Pods that the Job has already counted, so counted Pods are not
 * in {@link BY_JOB}.
 */

import { CONTROLLER_UID_LABEL } from '../../api/batch/job/labels.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { Indexes } from '../../client/object-indexes.ts';
import { isTracked } from '../../plan/job/pods/classify.ts';

/** Pods by the UID of their Job, except those that have ended and no longer have the tracking finalizer. */
export const BY_JOB = 'job-controller/job';

/**
 * Pods without a controller, by `namespace` and by `namespace/UID` with the UID in their controller-uid label.
 */
export const ORPHANS = 'job-controller/orphan';

/**
 * Jobs with `manualSelector: true`, by namespace. Their selector may match Pods that name no Job in a label.
 */
export const BY_MANUAL_SELECTOR = 'job-controller/self-selected';

/** Indexes that the Job controller needs on the Pod informer. */
export const POD_INDEXES: Indexes<Pod> = {
	[BY_JOB]: (pod) => {
		const owner = controllerOf(pod);
		if (owner?.kind !== 'Job') return [];
		// A Pod without the label no longer matches the generated selector: planJob must see it, to release it.
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

/** Indexes that the Job controller needs on the Job informer. */
export const JOB_INDEXES: Indexes<Job> = {
	[BY_MANUAL_SELECTOR]: ({ metadata, spec }) => (spec.manualSelector ? [metadata.namespace ?? ''] : []),
};
