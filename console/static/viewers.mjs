// Starts the viewer that the page has a place for.
const swagger = document.querySelector("#swagger");
const redoc = document.querySelector("#redoc");
if (swagger) {
  window.SwaggerUIBundle({ url: swagger.dataset.document, domNode: swagger, deepLinking: true, validatorUrl: null });
}
if (redoc) {
  window.Redoc.init(redoc.dataset.document, { hideDownloadButton: true, disableSearch: true }, redoc);
}
