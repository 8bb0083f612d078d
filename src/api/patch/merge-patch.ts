import { isRecord, type JsonRecord, own } from '../../base/json/json.ts';
import { badRequest } from '../errors/api-error.ts';
import { jsonEqual } from '../schema/equality.ts';
import { RecordDraft } from './record-draft.ts';

/**
 * Applies a JSON merge patch (RFC 7386): objects are merged, null deletes a field, any other value replaces
 * it. The result shares unchanged parts with `original`, and is `original` itself if nothing changes. Throws
 * BadRequest if the patch is not an object.
 */
export function mergePatch(original: JsonRecord, patch: unknown): JsonRecord {
	if (!isRecord(patch)) throw badRequest('Invalid JSON Patch');
	return merged(original, patch);
}

function merged(original: JsonRecord, patch: JsonRecord): JsonRecord {
	const draft = new RecordDraft(original);
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) draft.delete(key);
		else draft.set(key, mergedValue(own(original, key), value));
	}
	return draft.done();
}

function mergedValue(original: unknown, value: unknown): unknown {
	if (isRecord(value)) return merged(isRecord(original) ? original : {}, value);
	return jsonEqual(original, value) ? original : value;
}
