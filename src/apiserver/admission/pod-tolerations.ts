import { isPod } from '../../api/core/pod/is-pod.ts';
import { withDefaultTolerations } from '../../plan/pod/admission/default-tolerations.ts';
import type { AdmissionPlugin } from './admission.ts';

/** Adds the default tolerations to Pods (upstream: the DefaultTolerationSeconds plugin). */
export class PodTolerations implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: ({ subresource, object }) =>
			subresource === '' && isPod(object) ? withDefaultTolerations(object) : object,
	};
}
