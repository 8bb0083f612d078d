/**
 * Validation of the probes and lifecycle hooks of a container (upstream: `validateProbe`, `validateHandler`
 * and `validateLifecycle` in pkg/apis/core/validation).
 */

import type { Int64 } from '../../../../base/json/json.ts';
import {
	fieldForbidden,
	fieldInvalid,
	fieldRequired,
	malformed,
	nonNegative,
	notSupported,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { formText, portName, portNumber } from '../../../meta/names.ts';
import type { Container } from '../schema/container.ts';
import type { ContainerLifecycle, LifecycleHandler, Probe } from '../schema/probe.ts';
import type { PodSpec } from '../schema/spec.ts';

/**
 * The three kinds of probe. Liveness and startup probes stop the container when they fail, so that only they
 * can have a grace period of their own, and their successThreshold must be 1.
 */
type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

/** Where a probe or hook stands. */
interface Place {
	readonly path: FieldPath;
	/** The Pod's terminationGracePeriodSeconds. */
	readonly grace: Int64 | undefined;
}

/** Validates the probes and lifecycle hooks of a container or sidecar at `path`. */
export function validateProbesAndHooks(
	container: Container,
	spec: PodSpec,
	path: FieldPath,
): readonly FieldError[] {
	const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
	if (!lifecycle && !livenessProbe && !readinessProbe && !startupProbe) return [];
	const grace = spec.terminationGracePeriodSeconds;
	return [
		...(lifecycle ? validateLifecycle(lifecycle, { path: path.child('lifecycle'), grace }) : []),
		...validateProbe(container, 'livenessProbe', { path, grace }),
		...validateProbe(container, 'readinessProbe', { path, grace }),
		...validateProbe(container, 'startupProbe', { path, grace }),
	];
}

/** The rules that differ between the kinds of probe; see {@link ProbeName}. */
function validateProbe(container: Container, name: ProbeName, { path, grace }: Place): readonly FieldError[] {
	const probe = container[name];
	if (!probe) return [];
	const at = path.child(name);
	const errors = [...validateHandler(probe, { path: at, grace }), ...validateProbeNumbers(probe, at)];
	const { terminationGracePeriodSeconds: period, successThreshold = 0 } = probe;
	if (name !== 'readinessProbe') {
		if (successThreshold !== 1)
			errors.push(fieldInvalid(at.child('successThreshold'), successThreshold, 'must be 1'));
	} else if (period !== undefined) {
		const detail = 'must not be set for readinessProbes';
		errors.push(fieldInvalid(at.child('terminationGracePeriodSeconds'), period, detail));
	}
	return errors;
}

/** Upstream: `validateProbe`. Zeros pass here, since defaulting has replaced those that clients may leave out. */
function validateProbeNumbers(probe: Probe, path: FieldPath): readonly FieldError[] {
	const { terminationGracePeriodSeconds: period = 1 } = probe;
	return [
		...nonNegative(path.child('initialDelaySeconds'), probe.initialDelaySeconds ?? 0),
		...nonNegative(path.child('timeoutSeconds'), probe.timeoutSeconds ?? 0),
		...nonNegative(path.child('periodSeconds'), probe.periodSeconds ?? 0),
		...nonNegative(path.child('successThreshold'), probe.successThreshold ?? 0),
		...nonNegative(path.child('failureThreshold'), probe.failureThreshold ?? 0),
		...(period <= 0
			? [fieldInvalid(path.child('terminationGracePeriodSeconds'), period, 'must be greater than 0')]
			: []),
	];
}

/** Upstream: `validateLifecycle`. A hook may sleep, a probe may not: its schema has no such handler. */
function validateLifecycle(lifecycle: ContainerLifecycle, { path, grace }: Place): readonly FieldError[] {
	const { postStart, preStop } = lifecycle;
	return [
		...(postStart ? validateHandler(postStart, { path: path.child('postStart'), grace }) : []),
		...(preStop ? validateHandler(preStop, { path: path.child('preStop'), grace }) : []),
	];
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & LifecycleHandler;

/**
 * Exactly one handler. If several are set, upstream validates only the first of this order, and refuses the
 * others.
 */
function validateHandler(handler: Handler, { path, grace }: Place): readonly FieldError[] {
	const [first, ...others] = HANDLERS.filter((name) => handler[name] !== undefined);
	if (first === undefined) return [fieldRequired(path, 'must specify a handler type')];
	return [
		...validateAction(handler, first, { path: path.child(first), grace }),
		...others.map((name) => fieldForbidden(path.child(name), 'may not specify more than 1 handler type')),
	];
}

/**
 * Validates the content of the one handler. A sleep must end within the grace period of the Pod: the node
 * agent kills the container then, whether or not the hook has ended.
 */
function validateAction(
	{ exec, httpGet, tcpSocket, grpc, sleep }: Handler,
	name: (typeof HANDLERS)[number],
	{ path, grace }: Place,
): readonly FieldError[] {
	if (name === 'exec') return (exec?.command ?? []).length > 0 ? [] : [fieldRequired(path.child('command'))];
	if (name === 'httpGet' && httpGet) return validateHttpGet(httpGet, path);
	if (name === 'tcpSocket' && tcpSocket) return validatePort(tcpSocket.port, path.child('port'));
	if (name === 'grpc' && grpc) return validatePort(grpc.port, path.child('port'));
	const seconds = sleep?.seconds ?? 0;
	if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
	const detail = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
	return [fieldInvalid(path, seconds, detail)];
}

/** Upstream: `IsHTTPHeaderName`. It accepts fewer characters than RFC 9110 does. */
const HEADER_FORM = /^[-A-Za-z0-9]+$/;

/** Upstream: `validateHTTPGetAction`. The host is not validated: by default it is the Pod's own address. */
function validateHttpGet(action: NonNullable<Handler['httpGet']>, path: FieldPath): readonly FieldError[] {
	const { path: urlPath = '', port, scheme = '', httpHeaders = [] } = action;
	const errors: FieldError[] = [];
	if (urlPath === '') errors.push(fieldRequired(path.child('path')));
	errors.push(...validatePort(port, path.child('port')));
	if (!['HTTP', 'HTTPS'].includes(scheme)) {
		errors.push(notSupported(path.child('scheme'), scheme, ['HTTP', 'HTTPS']));
	}
	for (const { name } of httpHeaders) {
		if (HEADER_FORM.test(name)) continue;
		const text = "a valid HTTP header must consist of alphanumeric characters or '-'";
		errors.push(
			fieldInvalid(path.child('httpHeaders'), name, formText(text, '[-A-Za-z0-9]+', 'X-Header-Name')),
		);
	}
	return errors;
}

function validatePort(port: number | string, path: FieldPath): readonly FieldError[] {
	if (typeof port === 'string') return malformed(path, port, portName(port));
	return portNumber(port).map((problem) => fieldInvalid(path, port, problem));
}
