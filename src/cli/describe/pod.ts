import type { Container, ContainerState, ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { fieldsText, instant, type Line, pairs } from './fields.ts';

/** A Pod in words. */
export function describePod({ metadata, spec, status }: Pod): string {
	const owner = metadata.ownerReferences?.find(({ controller }) => controller);
	const lines: readonly Line[] = [
		['Name', metadata.name],
		['Namespace', metadata.namespace],
		['Node', spec.nodeName ?? '<none>'],
		['Start Time', instant(status.startTime)],
		['Labels', pairs(metadata.labels)],
		['Annotations', pairs(metadata.annotations)],
		[
			'Status',
			metadata.deletionTimestamp
				? `Terminating (since ${instant(metadata.deletionTimestamp)})`
				: status.phase,
		],
		['Reason', status.reason],
		['Message', status.message],
		['IP', status.podIP],
		['Controlled By', owner && `${owner.kind}/${owner.name}`],
	];
	const init = (spec.initContainers ?? []).map((each) =>
		describeContainer(each, status.initContainerStatuses),
	);
	const containers = spec.containers.map((each) => describeContainer(each, status.containerStatuses));
	const conditions = (status.conditions ?? []).map(({ type, status: value, reason = '', message = '' }) =>
		`  ${type.padEnd(27)} ${value.padEnd(6)} ${reason}${message ? `: ${message}` : ''}`.trimEnd(),
	);
	return [
		fieldsText(lines),
		...(init.length > 0 ? ['Init Containers:\n', ...init] : []),
		'Containers:\n',
		...containers,
		conditions.length > 0 ? `Conditions:\n${conditions.join('\n')}\n` : '',
	].join('');
}

/** A container of a Pod, or of a template where it has no statuses yet. */
export function describeContainer(
	container: Container,
	statuses: readonly ContainerStatus[] | undefined,
): string {
	const status = statuses?.find(({ name }) => name === container.name);
	const lines: readonly Line[] = [
		['Image', container.image],
		['Command', container.command],
		['Args', container.args],
		['State', status && stateText(status.state)],
		['Last State', status?.lastState?.terminated && stateText(status.lastState)],
		['Restart Count', status?.restartCount],
		['Limits', container.resources?.limits && pairs(container.resources.limits)],
		['Requests', container.resources?.requests && pairs(container.resources.requests)],
		[
			'Environment',
			container.env &&
				container.env.map(
					({ name, value, valueFrom }) => `${name}: ${valueFrom ? '(from a field)' : (value ?? '')}`,
				),
		],
	];
	return `  ${container.name}:\n${fieldsText(lines).replace(/^(?=.)/gm, '    ')}`;
}

/** What a container does or did, in a line. */
export function stateText({ waiting, running, terminated }: ContainerState = {}): string {
	if (running) return `Running since ${instant(running.startedAt)}`;
	if (terminated) {
		const { reason, exitCode, signal, message } = terminated;
		const how = `${reason ?? 'Ended'}, exit code ${exitCode}${signal ? ` (signal ${signal})` : ''}`;
		return message ? `${how}: ${message}` : how;
	}
	return waiting?.message ? `${waiting.reason}: ${waiting.message}` : (waiting?.reason ?? 'Waiting');
}
