import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { EngineVersion } from './engine/engine-client.ts';

/**
 * The Pod fields that the runtime of container engines honours: RuntimeTraits.honours. What is not named, plan/pod/fields
 * refuses, holds back or reports: processes and IPC shared between containers, kernel parameters, name servers of a Pod.
 */
const HONOURED: ReadonlySet<string> = new Set([
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
]);

/** The traits of the runtime with this engine. */
export function engineTraits(engine: EngineVersion | undefined): RuntimeTraits {
	return {
		honours: HONOURED,
		// That of an image which names none.
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: false,
		canExec: true,
		// Podman serves Docker's call for it from version 5 on; without the call it answers 404.
		canResize: engine?.name === 'docker',
		hostsFile: 'pod',
	};
}

/** The paths of fields that Pods and containers have. */
function inBoth(...names: readonly string[]): readonly string[] {
	return names.flatMap((name) => [
		`spec.securityContext.${name}`,
		`spec.containers[].securityContext.${name}`,
	]);
}
