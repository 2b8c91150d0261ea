/* 名录筛选:只在本页内查找,不发出任何请求。 */
(function () {
  "use strict";
  var box = document.querySelector("[data-filter]");
  var rows = document.querySelectorAll("#" + box.getAttribute("data-filter") + " tbody tr");
  var field = box.querySelector("input"), status = box.querySelector("[role=status]");
  function show() {
    var wanted = field.value.trim().toLowerCase(), shown = 0;
    rows.forEach(function (row) {
      var hit = row.textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !hit;
      shown += hit ? 1 : 0;
    });
    status.textContent = "显示" + shown + "个，共" + rows.length + "个" + box.getAttribute("data-what");
  }
  box.hidden = false;
  field.addEventListener("input", show);
  show();
})();
