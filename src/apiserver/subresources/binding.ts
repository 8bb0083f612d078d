import { type Binding, bindingSchema } from '../../api/core/binding/schema.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { badRequest, conflict, invalid } from '../../api/errors/api-error.ts';
import { fieldRequired, notSupported } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { boundPod, unbindable } from '../../plan/pod/binding.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, success } from '../result.ts';
import { staleObject } from '../storage/compare-and-swap.ts';
import { checkUid, updateObject } from '../verbs/update-object.ts';
import { writeOptions } from '../verbs/write-options.ts';
import { admitPosted, decodePosted, type PostedKind } from './decode-create.ts';

const BINDING: PostedKind<Binding> = {
	kind: 'Binding',
	apiVersions: ['v1'],
	schema: bindingSchema,
};

/**
 * POST to `pods/<name>/binding`: assigns the Pod to a node by setting spec.nodeName (upstream: BindingREST in
 * the registry of Pods). Throws Conflict if the Pod is already assigned, is being deleted or has scheduling
 * gates: a Pod never changes its node, since two node agents would then run its containers.
 */
export async function bind(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const decoded = await decodePosted(request, BINDING, options.fieldValidation);
	const binding = checked(
		request,
		await admitPosted(server, request, { posted: decoded, kind: BINDING, options }),
	);
	await updateObject(server, request, {
		options,
		isAdmitted: true,
		strategy: {
			// Only the fields that `bound` sets can change, so there is nothing to prepare or validate. The
			// strategy of Pods would reject the change of nodeName.
			prepareForUpdate: (pod) => pod,
			validateUpdate: () => [],
			// Schedulers send no resourceVersion: `bound` checks one that they do send.
			allowUnconditionalUpdate: true,
		},
		next: (pod) => bound(server, request, { binding, pod }),
	});
	return success(201);
}

function checked({ name }: ResourceRequest, binding: Binding): Binding {
	const { name: bodyName } = binding.metadata;
	if (bodyName && bodyName !== name) throw badRequest('name in URL does not match name in Binding object');
	const errors = targetErrors(binding.target);
	if (errors.length > 0) throw invalid({ group: '', resource: 'Binding', name }, errors);
	return binding;
}

/** Upstream: ValidatePodBinding. */
function targetErrors({ kind, name }: Binding['target']): readonly FieldError[] {
	const path = new FieldPath('target');
	const errors: FieldError[] = [];
	if (kind && kind !== 'Node') errors.push(notSupported(path.child('kind'), kind, ['Node', '<empty>']));
	if (!name) errors.push(fieldRequired(path.child('name')));
	return errors;
}

/**
 * The Pod after the binding. Runs again on the latest state if another writer was faster, so the checks hold
 * for the state that is written.
 */
function bound(
	{ clock }: ServerContext,
	request: ResourceRequest,
	{ binding, pod }: { readonly binding: Binding; readonly pod: KubeObject },
): KubeObject {
	if (!isPod(pod)) throw badRequest('only Pods can be bound');
	const { definition, name } = request;
	const { metadata } = binding;
	checkUid(request, pod, metadata.uid);
	if (metadata.resourceVersion && metadata.resourceVersion !== pod.metadata.resourceVersion) {
		throw staleObject(definition, name);
	}
	const refusal = unbindable(pod);
	if (refusal) throw conflict({ group: '', resource: 'pods/binding', name }, refusal);
	return boundPod(pod, binding, formatTime(clock.now()));
}
