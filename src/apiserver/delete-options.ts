import { badRequest, invalid } from '../api/meta/api-error.ts';
import { DecodeError, decode } from '../api/meta/decode.ts';
import { type DeleteOptions, deleteOptionsSchema } from '../api/meta/delete-options.ts';
import { type FieldError, FieldPath } from '../api/meta/field.ts';
import { invalid as invalidField, notSupported } from '../api/meta/field-errors.ts';
import { type ExpectedObject, hasBody, readBody } from './body.ts';
import type { Query } from './query.ts';
import type { Call } from './request.ts';
import { dryRunErrors } from './write-options.ts';

/** Clients send them in the version of what they delete; they are the same in each. */
const DELETE_OPTIONS: ExpectedObject = {
	kind: 'DeleteOptions',
	apiVersions: undefined,
	schema: deleteOptionsSchema,
};

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** The options in the body, or in the query when there is none. Throws BadRequest or Invalid. */
export async function deleteOptions(call: Call): Promise<DeleteOptions> {
	const options = hasBody(call.body) ? await fromBody(call) : fromQuery(call.query);
	checkDeleteOptions(options);
	return options;
}

/** Throws Invalid for options that contradict each other or are none. */
export function checkDeleteOptions(options: DeleteOptions): void {
	const errors = deleteOptionErrors(options);
	if (errors.length > 0) {
		throw invalid({ group: 'meta.k8s.io', resource: 'DeleteOptions', name: '' }, errors);
	}
}

/** Whether all is to be done but the deletion. */
export function isDryRun({ dryRun }: DeleteOptions): boolean {
	return (dryRun?.length ?? 0) > 0;
}

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
