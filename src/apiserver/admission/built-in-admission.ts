import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import { Admission, type AdmissionPlugin } from './admission.ts';
import { NamespaceLifecycle } from './namespace-lifecycle.ts';
import { PodFields } from './pod-fields.ts';
import { PodPriority } from './pod-priority.ts';
import { PodTolerations } from './pod-tolerations.ts';
import { PriorityClasses, PriorityClassRules } from './priority-classes.ts';

/** The admission of a server: the plugins of the caller, then the server's own. */
export function builtInAdmission(
	cache: ObjectCache,
	options: {
		readonly runtimeTraits?: () => RuntimeTraits | undefined;
		readonly admissionPlugins?: readonly AdmissionPlugin[];
	},
): Admission {
	const { runtimeTraits = () => undefined, admissionPlugins = [] } = options;
	const classes = new PriorityClasses(cache);
	return new Admission([
		...admissionPlugins,
		new NamespaceLifecycle(cache),
		new PodTolerations(),
		new PodPriority(classes),
		new PriorityClassRules(classes),
		new PodFields(runtimeTraits),
	]);
}
