import { badRequest, invalid } from '../api/meta/api-error.ts';
import { DecodeError, decode } from '../api/meta/decode.ts';
import { type FieldError, FieldPath } from '../api/meta/field.ts';
import { invalid as invalidField, notSupported } from '../api/meta/field-errors.ts';
import { boolean, type Infer, int64, list, object, optional, string } from '../api/meta/schema.ts';
import { hasBody, readBody } from './body.ts';
import type { Query } from './query.ts';
import type { Call } from './request.ts';
import { dryRunErrors } from './write-options.ts';

/** Schema of metav1.DeleteOptions. */
export const deleteOptionsSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
	'Says how an object is to be deleted.',
	{
		apiVersion: optional(string, 'The version of this object.'),
		kind: optional(string, 'DeleteOptions.'),
		gracePeriodSeconds: optional(int64, 'How long the object may take to end by itself; 0: none at all.'),
		preconditions: optional(
			object('io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions', 'What must hold of the object.', {
				uid: optional(string, 'Its UID.'),
				resourceVersion: optional(string, 'Its resourceVersion.'),
			}),
			'What must hold of the object, or it is not deleted.',
		),
		orphanDependents: optional(boolean, 'The older form of propagationPolicy.'),
		propagationPolicy: optional(string, 'Background, Foreground or Orphan: what becomes of dependents.'),
		dryRun: optional(list(string), 'All: do all but the deletion.'),
		ignoreStoreReadErrorWithClusterBreakingPotential: optional(boolean, 'Has no meaning here.'),
	},
);

/** How an object is to be deleted. */
export type DeleteOptions = Infer<typeof deleteOptionsSchema>;

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** The options in the body, or in the query when there is none. Throws BadRequest or Invalid. */
export async function deleteOptions(call: Call): Promise<DeleteOptions> {
	const options = hasBody(call.body) ? await fromBody(call) : fromQuery(call.query);
	const errors = deleteOptionErrors(options);
	if (errors.length > 0) {
		throw invalid({ group: 'meta.k8s.io', resource: 'DeleteOptions', name: '' }, errors);
	}
	return options;
}

/** Whether all is to be done but the deletion. */
export function isDryRun({ dryRun }: DeleteOptions): boolean {
	return (dryRun?.length ?? 0) > 0;
}

async function fromBody(call: Call): Promise<DeleteOptions> {
	const { value } = await readBody(call, 'DeleteOptions');
	try {
		const options = decode(deleteOptionsSchema, value).value;
		if (options.kind && options.kind !== 'DeleteOptions') {
			throw badRequest('decoded object cannot be converted to DeleteOptions');
		}
		return options;
	} catch (error) {
		if (error instanceof DecodeError) throw badRequest(error.message);
		throw error;
	}
}

function fromQuery(query: Query): DeleteOptions {
	const gracePeriodSeconds = query.integer('gracePeriodSeconds');
	const orphanDependents = query.optionalFlag('orphanDependents');
	const propagationPolicy = query.text('propagationPolicy');
	const dryRun = query.text('dryRun');
	return {
		...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
		...(orphanDependents !== undefined && { orphanDependents }),
		...(propagationPolicy && { propagationPolicy }),
		...(dryRun && { dryRun: [dryRun] }),
	};
}

function deleteOptionErrors(options: DeleteOptions): readonly FieldError[] {
	const { orphanDependents, propagationPolicy, dryRun } = options;
	const path = new FieldPath('propagationPolicy');
	const errors: FieldError[] = [];
	if (orphanDependents !== undefined && propagationPolicy !== undefined) {
		const text = 'orphanDependents and deletionPropagation cannot be both set';
		errors.push(invalidField(path, propagationPolicy, text));
	}
	if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
		errors.push(notSupported(path, propagationPolicy, [...POLICIES, 'nil']));
	}
	return [...errors, ...(dryRun ?? []).flatMap(dryRunErrors)];
}
