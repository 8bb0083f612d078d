/**
 * Validation of Pod status updates (upstream: `ValidatePodStatusUpdate` in pkg/apis/core/validation). Its
 * main rule: a terminated container must not run again unless a restart policy allows it, since controllers
 * may have acted on its exit code already.
 */

import { firstByKey } from '../../../../base/collections/first-by-key.ts';
import { fieldForbidden, fieldInvalid, immutable, malformed } from '../../../errors/field-errors.ts';
import type { FieldError } from '../../../errors/field-path.ts';
import { FieldPath } from '../../../errors/field-path.ts';
import { dns1123Subdomain, qualifiedName } from '../../../meta/names.ts';
import { validateMetaUpdate } from '../../../meta/validate-meta.ts';
import { validateIp } from '../../../network/ip-address.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../schema.ts';
import { META } from './pod.ts';

const STATUS = new FieldPath('status');

/** The errors of an update from the status of `old` to that of `pod`. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): readonly FieldError[] {
	const { status } = pod;
	const errors = [
		...validateMetaUpdate(pod.metadata, old.metadata, META),
		...validateConditions(status.conditions ?? []),
		...validateNomination(status.nominatedNodeName ?? '', old),
	];
	if ((status.observedGeneration ?? 0) < 0) {
		const detail = 'must be a non-negative integer';
		errors.push(fieldInvalid(STATUS.child('observedGeneration'), status.observedGeneration, detail));
	}
	if (status.qosClass !== old.status.qosClass) {
		errors.push(immutable(STATUS.child('qosClass'), status.qosClass ?? ''));
	}
	const { containers, initContainers = [] } = old.spec;
	return [
		...errors,
		...validateStates('containerStatuses', { pod, old }, containers),
		...validateStates('initContainerStatuses', { pod, old }, initContainers),
		...validateStates('ephemeralContainerStatuses', { pod, old }, []),
		...validateAddresses(pod, old),
	];
}

/** Condition types of Kubernetes itself, which need not be qualified names. */
const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];

/** Upstream: `validatePodConditions`. */
function validateConditions(conditions: NonNullable<PodStatus['conditions']>): readonly FieldError[] {
	return conditions.flatMap(({ type, observedGeneration = 0 }, index) => {
		const at = STATUS.child('conditions').index(index);
		const errors: FieldError[] = [];
		if (observedGeneration < 0) {
			const detail = 'must be a non-negative integer';
			errors.push(fieldInvalid(at.child('observedGeneration'), observedGeneration, detail));
		}
		if (SYSTEM_CONDITIONS.includes(type)) return errors;
		// Upstream writes this path with a capital.
		return [...errors, ...malformed(at.child('Type'), type, qualifiedName(type))];
	});
}

/** A nomination reserves room on a node for a Pod that is not bound yet. */
function validateNomination(name: string, old: Pod): readonly FieldError[] {
	if (name === '' || name === old.status.nominatedNodeName) return [];
	const at = STATUS.child('nominatedNodeName');
	const errors = malformed(at, name, dns1123Subdomain(name));
	if (!old.spec.nodeName) return errors;
	return [...errors, fieldForbidden(at, 'may not be set on pods that are already bound to a node')];
}

/** The lists of statuses, which have the same form. */
type StatusList = 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';

/**
 * Refuses to restart terminated containers. Only those in `containers` can have a policy that allows a
 * restart.
 */
function validateStates(
	list: StatusList,
	{ pod, old }: { readonly pod: Pod; readonly old: Pod },
	containers: readonly Container[],
): readonly FieldError[] {
	const before = old.status[list] ?? [];
	const after = pod.status[list] ?? [];
	if (before === after || (list !== 'ephemeralContainerStatuses' && anyRestartsAll(old.spec))) return [];
	const statuses = firstByKey(after, ({ name }) => name);
	const restartable = firstByKey(containers, ({ name }) => name);
	return before.flatMap(({ name, state }, index) => {
		if (!state?.terminated) return [];
		const next = statuses.get(name);
		// A status that was removed is no restart: the node agent prunes containers that no longer exist.
		if (!next || next.state?.terminated) return [];
		const container = restartable.get(name);
		if (container && mayRestart(container, old.spec, state.terminated.exitCode)) return [];
		const at = STATUS.child(list).index(index).child('state');
		return [fieldForbidden(at, 'may not be transitioned to non-terminated state')];
	});
}

/** Whether an exit of one container can restart all others; then no terminated state is final. */
function anyRestartsAll({ containers, initContainers = [] }: PodSpec): boolean {
	return [...containers, ...initContainers].some(({ restartPolicyRules }) =>
		restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
	);
}

/**
 * Whether a container that exited with `exitCode` may be restarted: by one of its restart rules, otherwise by
 * its own restart policy, otherwise by that of the Pod.
 */
function mayRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
	const { restartPolicyRules: rules = [], restartPolicy = spec.restartPolicy } = container;
	// The first rule that matches restarts; there is no rule that forbids it.
	for (const { action, exitCodes } of rules) {
		const listed = exitCodes?.values?.includes(exitCode) ?? false;
		if (action === 'Restart' && exitCodes && listed === (exitCodes.operator === 'In')) return true;
	}
	if (restartPolicy === 'Always') return true;
	return restartPolicy === 'OnFailure' && exitCode !== 0;
}

/** Only new addresses are validated, so that a status which an older version stored can still be updated. */
function validateAddresses(pod: Pod, old: Pod): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { hostIP = '', hostIPs = [] } = pod.status;
	const first = hostIPs[0]?.ip;
	if (first !== undefined && first !== hostIP) {
		errors.push(
			fieldInvalid(STATUS.child('hostIPs').index(0).child('ip'), first, 'must be equal to `hostIP`'),
		);
	}
	// The first address is also in podIP and hostIP, which older clients read.
	for (const list of ['podIPs', 'hostIPs'] as const) {
		const addresses = pod.status[list] ?? [];
		if (addresses === old.status[list]) continue;
		const known = new Set((old.status[list] ?? []).map(({ ip }) => ip));
		const at = STATUS.child(list);
		for (const [index, { ip }] of addresses.entries()) {
			errors.push(...validateIp(ip, at.index(index), known));
		}
		const families = new Set(addresses.map(({ ip }) => ip.includes(':')));
		if (families.size < addresses.length) {
			errors.push(fieldInvalid(at, addresses, 'may specify no more than one IP for each IP family'));
		}
	}
	return errors;
}
