import { type TokenReview, tokenReviewSchema } from '../../api/authentication/reviews.ts';
import { userInfoOf } from '../../api/authentication/user-info.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import { API_AUDIENCES } from '../access/tokens/service-account-tokens.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { admitPosted, decodePosted, type PostedKind } from '../subresources/decode-create.ts';
import { writeOptions } from '../verbs/write-options.ts';

const REVIEW: PostedKind<TokenReview> = {
	kind: 'TokenReview',
	apiVersions: ['authentication.k8s.io/v1'],
	schema: tokenReviewSchema,
};

/**
 * POST of a TokenReview: answers whose token it contains (upstream: pkg/registry/authentication/tokenreview). A
 * token that is not valid is no error of the request: the answer says why.
 */
export async function reviewToken(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const posted = await decodePosted(request, REVIEW, options.fieldValidation);
	const { token = '', audiences = [] } = posted.spec;
	if (token === '') throw badRequest('token is required for TokenReview in authentication');
	await admitPosted(server, request, { posted, kind: REVIEW, options });
	const found = await server.tokens.review(token, audiences.length === 0 ? API_AUDIENCES : audiences);
	const status =
		found.kind === 'valid'
			? { authenticated: true, user: userInfoOf(found.user), audiences: found.audiences }
			: { user: {}, error: found.error };
	return valueResult(201, { ...posted, kind: REVIEW.kind, apiVersion: 'authentication.k8s.io/v1', status });
}
