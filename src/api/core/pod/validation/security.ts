/**
 * Validation of security contexts and host namespaces (upstream: `validatePodSpecSecurityContext` and
 * `ValidateSecurityContext` in pkg/apis/core/validation). It checks form only; whether the node can apply a
 * setting is the node agent's decision.
 */

import type { Int64 } from '../../../../base/json/json.ts';
import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	notSupported,
	tooLong,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { exceeds, inRange } from '../../../meta/names.ts';
import type { PodSecurityContext, SecurityContext } from '../schema/security.ts';
import type { PodSpec } from '../schema/spec.ts';
import { validateDescendingPath } from './path.ts';

/** Upstream limits user and group ids to 31 bits. */
const MAX_ID = 2 ** 31 - 1;

/**
 * Upstream: `IsValidUserID` and `IsValidGroupID`. Whether a user with the id exists does not matter: files and processes
 * have only numbers.
 */
function validateId(id: Int64 | undefined, path: FieldPath): readonly FieldError[] {
	if (id === undefined) return [];
	return inRange(id, 0, MAX_ID).map((problem) => fieldInvalid(path, id, problem));
}

/** Validates the security context of the Pod at `path`, and the host namespaces that it cannot combine. */
export function validatePodSecurity(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const { securityContext: context, hostPID, shareProcessNamespace } = spec;
	const errors: FieldError[] = [];
	if (hostPID && shareProcessNamespace) {
		const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
		errors.push(fieldInvalid(path.child('shareProcessNamespace'), true, detail));
	}
	// An empty context is what defaulting makes of none.
	if (!context || Object.keys(context).length === 0) return errors;
	return [
		...validateId(context.fsGroup, path.child('fsGroup')),
		...validateId(context.runAsUser, path.child('runAsUser')),
		...validateId(context.runAsGroup, path.child('runAsGroup')),
		...(context.supplementalGroups ?? []).flatMap((group, index) =>
			validateId(group, path.child('supplementalGroups').index(index)),
		),
		...errors,
		...validateSysctls(context.sysctls ?? [], spec, path.child('sysctls')),
		...optionally(
			context.fsGroupChangePolicy,
			['Always', 'OnRootMismatch'],
			path.child('fsGroupChangePolicy'),
		),
		...validateProfiles(context, path),
		...optionally(
			context.supplementalGroupsPolicy,
			['Merge', 'Strict'],
			path.child('supplementalGroupsPolicy'),
		),
		...optionally(
			context.seLinuxChangePolicy,
			['MountOption', 'Recursive'],
			path.child('seLinuxChangePolicy'),
		),
	];
}

/** An error if `value` is set and not one of `supported`. */
function optionally(
	value: string | undefined,
	supported: readonly string[],
	path: FieldPath,
): readonly FieldError[] {
	return value === undefined || supported.includes(value) ? [] : [notSupported(path, value, supported)];
}

/** Validates the security context of one container at `path`. */
export function validateContainerSecurity(
	context: SecurityContext | undefined,
	spec: PodSpec,
	path: FieldPath,
): readonly FieldError[] {
	if (!context) return [];
	const { procMount, privileged, capabilities, allowPrivilegeEscalation } = context;
	const errors: FieldError[] = [
		...validateId(context.runAsUser, path.child('runAsUser')),
		...validateId(context.runAsGroup, path.child('runAsGroup')),
		...optionally(procMount, ['Default', 'Unmasked'], path.child('procMount')),
	];
	// Without a user namespace, root in the container could write the node's kernel settings below /proc.
	if (procMount === 'Unmasked' && spec.hostUsers !== false) {
		const detail = '`hostUsers` must be false to use `Unmasked`';
		errors.push(fieldInvalid(path.child('procMount'), procMount, detail));
	}
	if (context.seccompProfile)
		errors.push(...validateSeccomp(context.seccompProfile, path.child('seccompProfile')));
	if (allowPrivilegeEscalation === false) {
		// A privileged container, or one with CAP_SYS_ADMIN, can always gain privileges, so the promise would be false.
		const cannot = 'cannot set `allowPrivilegeEscalation` to false and';
		if (privileged) errors.push(fieldInvalid(path, context, `${cannot} \`privileged\` to true`));
		if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
			errors.push(fieldInvalid(path, context, `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`));
		}
	}
	if (context.appArmorProfile)
		errors.push(...validateAppArmor(context.appArmorProfile, path.child('appArmorProfile')));
	return errors;
}

/** The defaults of all containers of the Pod; a container's own profiles are validated with its context. */
function validateProfiles(context: PodSecurityContext, path: FieldPath): readonly FieldError[] {
	const { seccompProfile, appArmorProfile } = context;
	return [
		...(seccompProfile ? validateSeccomp(seccompProfile, path.child('seccompProfile')) : []),
		...(appArmorProfile ? validateAppArmor(appArmorProfile, path.child('appArmorProfile')) : []),
	];
}

/** Upstream: `validateSeccompProfileField` and `ValidateAppArmorProfileField`, for Pods and containers alike. */
const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

type Profile = NonNullable<SecurityContext['seccompProfile']>;

/** Upstream checks the type of an AppArmor profile only if the rest is valid: see validateAppArmor. */
function validateType(
	type: string,
	field: 'seccompProfile' | 'appArmorProfile',
	path: FieldPath,
): readonly FieldError[] {
	if (type === '') return [fieldRequired(path, `type is required when ${field} is set`)];
	return chosen(path, type, PROFILES);
}

/** The profile file is below the seccomp directory of the kubelet, so its path must stay within it. */
function validateSeccomp(profile: Profile, path: FieldPath): readonly FieldError[] {
	const { type, localhostProfile: file } = profile;
	const errors = validateType(type, 'seccompProfile', path.child('type'));
	const at = path.child('localhostProfile');
	if (type !== 'Localhost') {
		if (file === undefined) return errors;
		return [...errors, fieldInvalid(at, profile, 'can only be set when seccomp type is Localhost')];
	}
	if (file === undefined) return [...errors, fieldRequired(at, 'must be set when seccomp type is Localhost')];
	return [...errors, ...validateDescendingPath(file, at)];
}

/** Maximum length of an AppArmor profile name: PATH_MAX of Linux without the final zero byte. */
const MAX_PROFILE_LENGTH = 4095;

/**
 * Unlike a seccomp profile, the local one is the name of a profile that is loaded into the kernel, not a
 * path.
 */
function validateAppArmor(profile: Profile, path: FieldPath): readonly FieldError[] {
	const { type, localhostProfile: name } = profile;
	const at = path.child('localhostProfile');
	if (type !== 'Localhost') {
		const errors = validateType(type, 'appArmorProfile', path.child('type'));
		if (errors.length > 0 || name === undefined) return errors;
		return [fieldInvalid(at, name, 'can only be set when AppArmor type is Localhost')];
	}
	const missing = fieldRequired(at, 'must be set when AppArmor type is Localhost');
	if (name === undefined) return [missing];
	const errors: FieldError[] = [];
	if (name !== name.trim()) errors.push(fieldInvalid(at, name, 'must not be padded with whitespace'));
	else if (name === '') errors.push(missing);
	if (exceeds(name, MAX_PROFILE_LENGTH)) errors.push(tooLong(at, MAX_PROFILE_LENGTH));
	return errors;
}

/** Names of kernel parameters, whose parts are separated by dots or slashes. */
const SYSCTL = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_FORM = `^(${SYSCTL}[\\./])*${SYSCTL}$`;
const sysctlForm = new RegExp(SYSCTL_FORM);
/** Upstream: `SysctlMaxLength`, in characters. */
const MAX_SYSCTL_LENGTH = 253;

/** Kernel parameters of the network and IPC namespaces: a Pod that shares the node's must not change them. */
const NETWORK_SYSCTL = /^net[./]/;
const IPC_SYSCTL = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;

/** Upstream: `validateSysctls` and `ValidateHostSysctl`. Which sysctls are safe is decided by the node agent, not here. */
function validateSysctls(
	sysctls: NonNullable<PodSecurityContext['sysctls']>,
	{ hostNetwork, hostIPC }: PodSpec,
	path: FieldPath,
): readonly FieldError[] {
	const seen = new Set<string>();
	return sysctls.flatMap(({ name }, index) => {
		const at = path.index(index).child('name');
		const errors: FieldError[] = [];
		if (name === '') errors.push(fieldRequired(at));
		else if (name.length > MAX_SYSCTL_LENGTH || !sysctlForm.test(name)) {
			const detail = `must have at most ${MAX_SYSCTL_LENGTH} characters and match regex ${SYSCTL_FORM}`;
			errors.push(fieldInvalid(at, name, detail));
		} else if (seen.has(name)) errors.push(duplicate(at, name));
		if (hostNetwork && NETWORK_SYSCTL.test(name)) {
			errors.push(fieldInvalid(at, name, "may not be specified when 'hostNetwork' is true"));
		} else if (hostIPC && IPC_SYSCTL.test(name)) {
			errors.push(fieldInvalid(at, name, "may not be specified when 'hostIPC' is true"));
		}
		seen.add(name);
		return errors;
	});
}

/**
 * A Pod with a user namespace of its own cannot share the node's other namespaces or use its block devices.
 */
export function validateHostUsers(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	if (spec.hostUsers !== false) return [];
	const detail = 'when `hostUsers` is false';
	const errors: FieldError[] = [];
	if (spec.hostNetwork) errors.push(fieldForbidden(path.child('hostNetwork'), detail));
	// Upstream writes these two paths with a capital.
	if (spec.hostPID) errors.push(fieldForbidden(path.child('HostPID'), detail));
	if (spec.hostIPC) errors.push(fieldForbidden(path.child('HostIPC'), detail));
	for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
		for (const [index, container] of (spec[list] ?? []).entries()) {
			if (!container.volumeDevices?.length) continue;
			errors.push(fieldForbidden(path.child(list).index(index).child('volumeDevices'), detail));
		}
	}
	return errors;
}
