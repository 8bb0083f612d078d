import {
	type SelfSubjectRulesReview,
	selfSubjectRulesReviewSchema,
} from '../../api/authorization/reviews.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { admitPosted, decodePosted, type PostedKind } from '../subresources/decode-create.ts';
import { writeOptions } from '../verbs/write-options.ts';

const REVIEW: PostedKind<SelfSubjectRulesReview> = {
	kind: 'SelfSubjectRulesReview',
	apiVersions: ['authorization.k8s.io/v1'],
	schema: selfSubjectRulesReviewSchema,
};

/**
 * POST of a SelfSubjectRulesReview: what the sender may do in a namespace (upstream: selfsubjectrulesreview.REST). As
 * upstream, the response does not repeat the question.
 */
export async function reviewOwnRules(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const posted = await decodePosted(request, REVIEW, options.fieldValidation);
	const { namespace = '' } = posted.spec;
	if (namespace === '') throw badRequest('no namespace on request');
	await admitPosted(server, request, { posted, kind: REVIEW, options });
	const rules = server.authorizer.rulesFor?.(request.call.user, namespace);
	const status = rules
		? { ...rules, incomplete: false }
		: {
				resourceRules: [],
				nonResourceRules: [],
				incomplete: true,
				evaluationError: 'the authorizer does not list the rules of users',
			};
	const { kind } = REVIEW;
	return valueResult(201, { kind, apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec: {}, status });
}
