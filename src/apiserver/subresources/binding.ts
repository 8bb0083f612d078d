import { type Binding, bindingSchema } from '../../api/core/binding/schema.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { badRequest, conflict, invalid } from '../../api/errors/api-error.ts';
import { fieldRequired, notSupported } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import { withCondition } from '../../api/meta/conditions.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
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
		...{ options, isAdmitted: true },
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
	{ binding: { metadata, target }, pod }: { readonly binding: Binding; readonly pod: KubeObject },
): KubeObject {
	if (!isPod(pod)) throw badRequest('only Pods can be bound');
	const { definition, name } = request;
	checkUid(request, pod, metadata.uid);
	if (metadata.resourceVersion && metadata.resourceVersion !== pod.metadata.resourceVersion) {
		throw staleObject(definition, name);
	}
	const refusal = unbindable(pod);
	if (refusal) throw conflict({ group: '', resource: 'pods/binding', name }, refusal);
	const annotations = { ...pod.metadata.annotations, ...metadata.annotations };
	// The scheduler set nominatedNodeName when it preempted other Pods for this one. Once the Pod is assigned
	// it means nothing, and the scheduler would still count it as reserved resources on that node.
	const { nominatedNodeName: _, ...status } = pod.status;
	const placed: Pod = {
		...pod,
		metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
		spec: { ...pod.spec, nodeName: target.name ?? '' },
		status: { ...status, conditions: scheduled(pod, formatTime(clock.now())) },
	};
	return placed;
}

/** Why the Pod cannot be assigned, in upstream's words (BindingREST); undefined if it can. */
function unbindable({ metadata, spec }: Pod): string | undefined {
	if (metadata.deletionTimestamp)
		return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
	if (spec.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
	if (spec.schedulingGates?.length) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
	return undefined;
}

/** The conditions with PodScheduled set to True. The time of an earlier transition is kept. */
function scheduled({ metadata, status }: Pod, now: string): readonly PodCondition[] {
	const condition: PodCondition = {
		type: 'PodScheduled',
		...(metadata.generation && { observedGeneration: metadata.generation }),
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: now,
	};
	return withCondition(status.conditions, condition);
}
