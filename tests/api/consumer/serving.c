/* SPDX-License-Identifier: MIT */
/* A tiny program that serves a registry. */
#include <girt/serve.h>
#include <girt/version.h>

#include <stdio.h>

int main(void)
{
    girt_metrics *metrics;
    girt_metrics_server *server;
    if (girt_metrics_create(&metrics, NULL) != GIRT_OK ||
        girt_metrics_serve(&server, metrics, "0", NULL) != GIRT_OK ||
        girt_metrics_server_port(server) == 0)
        return 1;
    girt_metrics_server_destroy(server);
    girt_metrics_destroy(metrics);
    printf("girt %s\n", girt_version());
    return 0;
}
