/** Pages for operators: /version, /health, /livez, /readyz, /metrics, /config/local/log. */

import { ETCD_CLUSTER_VERSION, ETCD_VERSION } from '../../../include/gateway.ts';
import { answerWith, type Exchange } from './exchange.ts';
import { healthPages } from './health-pages.ts';
import { answerLogLevel } from './log-page.ts';
import { answerMetrics, type MetricsSources } from './metrics-page.ts';

/** What answers a page, and the method it wants. */
export type Page = {
  readonly method: 'GET' | 'PUT';
  readonly answer: (exchange: Exchange) => void;
};

/** The pages by path. */
export type Pages = ReadonlyMap<string, Page>;

/** Makes the pages of a node. */
export function createPages(sources: MetricsSources): Pages {
  const { node, healthCounts } = sources;
  const pages = new Map<string, Page>();
  const get = (path: string, answer: (exchange: Exchange) => void): void => {
    pages.set(path, { method: 'GET', answer });
  };
  get('/version', answerVersion);
  get('/metrics', (exchange) => void answerMetrics(sources, exchange));
  for (const [path, answer] of healthPages(node, healthCounts)) get(path, answer);
  pages.set('/config/local/log', {
    method: 'PUT',
    answer: (exchange) => answerLogLevel(node, exchange),
  });
  return pages;
}

function answerVersion(exchange: Exchange): void {
  const text = JSON.stringify({
    etcdserver: ETCD_VERSION,
    etcdcluster: ETCD_CLUSTER_VERSION,
    storage: ETCD_CLUSTER_VERSION,
  });
  answerWith(exchange, 200, { 'content-type': 'application/json' }, text);
}
