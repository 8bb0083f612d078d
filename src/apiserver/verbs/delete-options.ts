import { badRequest, invalid } from '../../api/errors/api-error.ts';
import { fieldInvalid as invalidField, notSupported } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import { type DeleteOptions, deleteOptionsSchema } from '../../api/meta/delete-options.ts';
import { DecodeError, decode } from '../../api/schema/decode.ts';
import { hasBody, readBody } from '../http/body.ts';
import type { ExpectedObject } from '../http/expected-object.ts';
import type { Query } from '../query.ts';
import type { Call } from '../request.ts';
import { dryRunErrors } from './write-options.ts';

/**
 * Any apiVersion is accepted: clients send DeleteOptions in the version of the object that they delete, and
 * the fields are the same in each.
 */
const DELETE_OPTIONS: ExpectedObject = {
	kind: 'DeleteOptions',
	apiVersions: undefined,
	schema: deleteOptionsSchema,
};

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** Reads the options from the body, or from the query if there is no body. Throws BadRequest or Invalid. */
export async function deleteOptions(call: Call): Promise<DeleteOptions> {
	const options = hasBody(call.body) ? await fromBody(call) : fromQuery(call.query);
	checkDeleteOptions(options);
	return options;
}

/** Throws Invalid for options that contradict each other or have unknown values. */
export function checkDeleteOptions(options: DeleteOptions): void {
	const errors = deleteOptionErrors(options);
	if (errors.length > 0) {
		throw invalid({ group: 'meta.k8s.io', resource: 'DeleteOptions', name: '' }, errors);
	}
}

/** Whether the request checks the deletion but does not store it. */
export function isDryRun({ dryRun }: DeleteOptions): boolean {
	return (dryRun?.length ?? 0) > 0;
}

/** Decoded without strict field validation, as upstream. */
async function fromBody(call: Call): Promise<DeleteOptions> {
	const { value } = await readBody(call, DELETE_OPTIONS);
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
	const gracePeriodSeconds = query.int64('gracePeriodSeconds');
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

/** Upstream: ValidateDeleteOptions. */
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
