import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { inBoth } from '../field-paths.ts';

/** The Pod fields that all runtimes of container engines honour: RuntimeTraits.honours. */
export const ENGINE_FIELDS: readonly string[] = [
	'spec.volumes',
	'spec.hostAliases',
	'spec.securityContext.supplementalGroups',
	'spec.securityContext.fsGroup',
	...inBoth('runAsUser', 'runAsGroup', 'seccompProfile'),
	...[
		'stdin',
		'tty',
		'terminationMessagePath',
		'resources.limits',
		'securityContext.allowPrivilegeEscalation',
		'securityContext.capabilities.add',
		'securityContext.capabilities.drop',
		'securityContext.privileged',
		'securityContext.readOnlyRootFilesystem',
	].map((name) => `spec.containers[].${name}`),
];

/** Their other traits that do not depend on the engine. */
export const ENGINE_TRAITS = {
	// That of an image which names none.
	user: { uid: 0, gid: 0, groups: [] },
	os: 'linux',
	runsHostPrograms: false,
	canExec: true,
} as const satisfies Partial<RuntimeTraits>;
