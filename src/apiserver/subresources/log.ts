import type { ContainerLogRequest } from '../../api/contract/node-api.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { badRequest, invalid } from '../../api/errors/api-error.ts';
import { fieldForbidden, fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import { parseTime } from '../../api/meta/time.ts';
import { requestedContainer, whyNoLog } from '../../plan/pod/container-log.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { existing } from '../verbs/get.ts';
import { connectedNode } from './connected-node.ts';

/**
 * GET of `pods/<name>/log`: the log of a container, streamed from the node agent. Whether the container
 * exists and has ever run is decided here from the Pod's status, with the messages of upstream's kubelet
 * (validateContainerLogStatus), so that a client gets the error without a call to the node. Throws NotFound,
 * BadRequest, Invalid, or ServiceUnavailable if the node agent is not connected.
 */
export async function podLog(
	server: ServerContext,
	request: ResourceRequest,
): Promise<AsyncIterable<Uint8Array>> {
	const { object: pod } = existing(request);
	if (!isPod(pod)) throw badRequest('only Pods have logs');
	const options = logOptions(request);
	const container = requestedContainer(pod, request.call.query.text('container'));
	const { nodeName } = pod.spec;
	// A Pod that is not scheduled has an empty log and no error, as upstream (LogLocation), so that `kubectl
	// logs` does not fail for a Pod that just waits.
	if (!nodeName) return nothing();
	const absent = whyNoLog(pod, container, options.previous);
	if (absent !== undefined) throw badRequest(absent);
	const node = connectedNode(server, { nodeName, pod: request.name });
	const signal = request.call.signal ?? new AbortController().signal;
	return node.containerLog({
		...options,
		namespace: request.namespace,
		pod: request.name,
		container,
		signal,
	});
}

type LogOptions = Omit<ContainerLogRequest, 'namespace' | 'pod' | 'container' | 'signal'>;

/** Parses and validates the options. Upstream: ValidatePodLogOptions. */
function logOptions({ call: { query }, name }: ResourceRequest): LogOptions {
	const sinceSeconds = query.integer('sinceSeconds');
	const tailLines = query.integer('tailLines');
	const limitBytes = query.integer('limitBytes');
	const sinceTime = query.text('sinceTime');
	if (sinceTime !== '' && parseTime(sinceTime) === undefined) {
		throw badRequest(`parsing time ${JSON.stringify(sinceTime)} failed: it must be in RFC 3339 format`);
	}
	const errors = [
		...atLeast('tailLines', tailLines, { least: 0, text: 'must be greater than or equal to 0' }),
		...atLeast('limitBytes', limitBytes, { least: 1, text: 'must be greater than 0' }),
		...(sinceSeconds !== undefined && sinceTime !== ''
			? [fieldForbidden(new FieldPath(), 'at most one of `sinceTime` or `sinceSeconds` may be specified')]
			: atLeast('sinceSeconds', sinceSeconds, { least: 1, text: 'must be greater than 0' })),
	];
	if (errors.length > 0) throw invalid({ group: '', resource: 'PodLogOptions', name }, errors);
	return {
		follow: query.flag('follow'),
		previous: query.flag('previous'),
		timestamps: query.flag('timestamps'),
		...(sinceSeconds !== undefined && { sinceSeconds }),
		...(sinceTime !== '' && { sinceTime }),
		...(tailLines !== undefined && { tailLines }),
		...(limitBytes !== undefined && { limitBytes }),
	};
}

function atLeast(
	name: string,
	value: number | undefined,
	{ least, text }: { readonly least: number; readonly text: string },
): readonly FieldError[] {
	if (value === undefined || value >= least) return [];
	return [invalidField(new FieldPath(name), value, text)];
}

async function* nothing(): AsyncIterable<Uint8Array> {}
