import { badRequest, invalid } from '../../api/errors/api-error.ts';
import { fieldForbidden, notSupported } from '../../api/errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../api/errors/field-path.ts';
import { parseFieldSelector } from '../../api/meta/field-selector.ts';
import { parseSelector } from '../../api/meta/selector-text.ts';
import { quote } from '../../base/quote.ts';
import type { Query } from '../query.ts';
import type { ResourceRequest } from '../request.ts';
import type { Selection } from '../storage/selection.ts';

/** metav1.ListOptions, which lists, watches and deletecollection read from the query. */
export interface ListQuery {
	readonly selection: Selection;
	/** The resourceVersion; undefined if the client sent none. */
	readonly revision: number | undefined;
	readonly match: '' | 'Exact' | 'NotOlderThan';
	/** Maximum number of objects in a page; 0 means no limit. */
	readonly limit: number;
	readonly continueToken: string;
	readonly timeoutSeconds: number | undefined;
	readonly allowWatchBookmarks: boolean;
	readonly sendInitialEvents: boolean | undefined;
}

/**
 * Reads and validates the options. Throws BadRequest or Invalid with upstream's messages (ValidateListOptions
 * in apimachinery).
 */
export function listOptions(request: ResourceRequest, verb: 'list' | 'watch'): ListQuery {
	const { query } = request.call;
	const errors = verb === 'watch' ? watchErrors(request) : listErrors(request);
	if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', resource: 'ListOptions', name: '' }, errors);
	const match = query.text('resourceVersionMatch');
	return {
		selection: selectionOf(request),
		revision: revisionOf(query.text('resourceVersion')),
		match: match === 'Exact' || match === 'NotOlderThan' ? match : '',
		limit: query.integer('limit') ?? 0,
		continueToken: query.text('continue'),
		timeoutSeconds: query.integer('timeoutSeconds'),
		allowWatchBookmarks: query.flag('allowWatchBookmarks'),
		sendInitialEvents: query.optionalFlag('sendInitialEvents'),
	};
}

/**
 * Parses a resourceVersion; undefined for an empty one. Throws BadRequest if it is not an unsigned 64-bit
 * number.
 */
export function revisionOf(resourceVersion: string): number | undefined {
	if (resourceVersion === '') return undefined;
	const isNumber = /^\d+$/.test(resourceVersion);
	if (isNumber && isUint64(resourceVersion)) return Number(resourceVersion);
	const shown = quote(resourceVersion);
	const why = isNumber ? 'value out of range' : 'invalid syntax';
	throw badRequest(`resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`);
}

function isUint64(digits: string): boolean {
	return digits.length <= 20 && BigInt(digits) < 2n ** 64n;
}

function selectionOf(request: ResourceRequest): Selection {
	const { call, definition, namespace } = request;
	const labels = parseSelector(call.query.text('labelSelector'));
	const fields = parseFieldSelector(call.query.text('fieldSelector'), definition);
	return { namespace, labels, fields };
}

const MATCH = new FieldPath('resourceVersionMatch');
const INITIAL = new FieldPath('sendInitialEvents');

function listErrors({ call: { query } }: ResourceRequest): readonly FieldError[] {
	const errors: FieldError[] = [];
	const match = query.text('resourceVersionMatch');
	if (match !== '') {
		if (query.text('resourceVersion') === '') {
			errors.push(
				fieldForbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
			);
		}
		if (query.text('continue') !== '') {
			errors.push(fieldForbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
		}
		if (match !== 'Exact' && match !== 'NotOlderThan') {
			errors.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
		}
		if (match === 'Exact' && query.text('resourceVersion') === '0') {
			errors.push(fieldForbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
		}
	}
	if (query.has('sendInitialEvents')) {
		errors.push(fieldForbidden(INITIAL, 'sendInitialEvents is forbidden for list'));
	}
	return errors;
}

function watchErrors({ call: { query } }: ResourceRequest): readonly FieldError[] {
	const errors: FieldError[] = [];
	const initial = query.has('sendInitialEvents');
	const asked = query.text('resourceVersionMatch');
	const match = asked || (initial ? '' : defaultMatch(query));
	if (initial && match !== 'NotOlderThan') {
		errors.push(
			fieldForbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
		);
	}
	if (match === '') return errors;
	if (!initial && asked !== '') {
		errors.push(
			fieldForbidden(
				MATCH,
				'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
			),
		);
	}
	if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
	if (query.text('continue') !== '') {
		errors.push(fieldForbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
	}
	return errors;
}

/**
 * The default of resourceVersionMatch for a watch. Without a resourceVersion, or with 0, a watch starts with
 * the existing objects (SetListOptionsDefaults in upstream's apimachinery) and therefore does not accept
 * `continue`.
 */
function defaultMatch(query: Query): string {
	return ['', '0'].includes(query.text('resourceVersion')) ? 'NotOlderThan' : '';
}
